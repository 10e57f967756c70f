import * as z from "zod";
import { defineKind, type ObjectOf } from "../../runtime/define-kind.ts";
import { topologyColumns } from "../columns.ts";
import { brokerReference, limit, plainDeletionPolicy, plainName, secretKey, tags, topologyStatus } from "../fields.ts";

/** A user of the broker. The password comes from a Secret, or is made and put into one. */
export const userKind = defineKind({
  kind: "User",
  plural: "users",
  shortNames: ["lsu"],
  description: "A user of a broker, with tags and limits. The Broker's user needs the tag administrator.",
  finalizer: true,
  immutable: ["brokerRef", "name"],
  rules: [
    {
      field: "passwordFrom",
      rule: "[has(self.passwordFrom), has(self.passwordHashFrom), has(self.generateInto)].filter(given, given).size() <= 1",
      message: "only one of passwordFrom, passwordHashFrom and generateInto can be given",
    },
    {
      field: "passwordHashAlgorithm",
      rule: "!has(self.passwordHashAlgorithm) || has(self.passwordHashFrom)",
      message: "passwordHashAlgorithm needs passwordHashFrom: other passwords are hashed by Longshore",
    },
  ],
  spec: z.strictObject({
    brokerRef: brokerReference,
    name: plainName("Name on the broker. Default: metadata.name.").optional(),
    tags: tags("management, policymaker, monitoring, administrator, or any other."),
    passwordFrom: secretKey("Where the password stands. A changed one takes effect within seconds.", "password").optional(),
    passwordHashFrom: secretKey("Where RabbitMQ's salted hash of the password stands, in base64.", "passwordHash").optional(),
    passwordHashAlgorithm: z
      .enum(["sha256", "sha512", "md5"])
      .optional()
      .meta({ description: "How the hash of passwordHashFrom was made. Default: sha256, as RabbitMQ does it." }),
    generateInto: z
      .strictObject({ name: z.string().min(1).max(253).meta({ description: "Name of the Secret, in the same namespace." }) })
      .optional()
      .meta({
        description:
          "A Secret that is made with the keys username and password when there is none; it goes with this object. One that is there is read, as by passwordFrom.",
      }),
    limits: z
      .strictObject({ connections: limit("connections"), channels: limit("channels") })
      .default({})
      .meta({ description: "Limits of the user. A limit that is not given is taken away." }),
    deletionPolicy: plainDeletionPolicy,
  }),
  status: z.object(topologyStatus),
  columns: topologyColumns(),
  permissions: [
    {
      apiGroup: "",
      resources: ["secrets"],
      verbs: ["get", "create"],
      why: "Passwords of Users stand in Secrets; a generated one is put into a new Secret. Read by name, never listed, never changed.",
    },
  ],
});
export type User = ObjectOf<typeof userKind>;
