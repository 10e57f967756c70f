import type { BrokerObject } from "../../adapters/ports.ts";
import { given } from "../given.ts";
import type { SecretNeed, SecretValues } from "../topology-kind.ts";
import type { User } from "./schema.ts";

const userName = ({ metadata, spec }: User): string => spec.name ?? metadata.name;

/** The Secret that the password comes from; none: the user cannot log in with a password. */
export function needsOfUser(user: User): readonly SecretNeed[] {
  const { passwordFrom, passwordHashFrom, generateInto } = user.spec;
  if (passwordFrom !== undefined) {
    const { name, key } = passwordFrom.secretKeyRef;
    return [{ as: "hash", secret: name, key, hashed: true }];
  }
  if (passwordHashFrom !== undefined)
    return [{ as: "hash", secret: passwordHashFrom.secretKeyRef.name, key: passwordHashFrom.secretKeyRef.key }];
  if (generateInto === undefined) return [];
  return [{ as: "hash", secret: generateInto.name, key: "password", hashed: true, generate: { username: userName(user) } }];
}

/** The user. The hash says how it was made, so that the broker's own default does not matter. Never throws. */
export function desiredUser(user: User, values: SecretValues): readonly BrokerObject[] {
  const { tags, limits, passwordHashAlgorithm } = user.spec;
  const properties = {
    tags: tags.toSorted(),
    password_hash: values.get("hash")?.trim() ?? "",
    hashing_algorithm: `rabbit_password_hashing_${passwordHashAlgorithm ?? "sha256"}`,
    limits: given({ "max-connections": limits.connections, "max-channels": limits.channels }),
  };
  return [{ type: "user", name: userName(user), properties }];
}
