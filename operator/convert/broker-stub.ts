import { check, explain, type Meaning, mapOf, type Note, none } from "./note.ts";

export interface BrokerStub {
  readonly uriFrom: { readonly secretKeyRef: SecretKeyRef };
  readonly managementFrom?: { readonly secretKeyRef: SecretKeyRef };
}

interface SecretKeyRef {
  readonly name: string;
  readonly key: string;
}

const STUB: SecretKeyRef = { name: "rabbitmq", key: "uri" };
const secrets =
  (source: string): Meaning =>
  () =>
    none(
      `a secret from ${source} has no equivalent; bring it into a Secret, as the External Secrets operator does, and name that in the Broker`,
    );

/** Every way in which a TriggerAuthentication gives a login. */
const AUTHENTICATION: Readonly<Record<string, Meaning>> = {
  secretTargetRef: () =>
    check(
      "the Secret's host is the Broker's URI; its other parameters (username, password, ca, cert, key) have to be in that URI, or in the operator's trust store",
    ),
  configMapTargetRef: () => none("an address in a ConfigMap has no equivalent: the Broker reads a Secret"),
  env: () => none("an address in an environment variable has no equivalent: put it into a Secret"),
  filePath: secrets("a file"),
  podIdentity: secrets("a pod identity"),
  hashiCorpVault: secrets("Vault"),
  azureKeyVault: secrets("Azure Key Vault"),
  gcpSecretManager: secrets("GCP Secret Manager"),
  awsSecretManager: secrets("AWS Secrets Manager"),
  boundServiceAccountToken: secrets("a service account token"),
  oauth2: secrets("OAuth2"),
};

/**
 * The Broker for a trigger, from its TriggerAuthentication where that is in the file. Never copies an address: it may hold a password.
 * @param http the trigger reads the management API, so that the address it has is that one
 */
export function brokerFor(
  authentication: Readonly<Record<string, unknown>> | undefined,
  name: string | undefined,
  at: string,
  http: boolean,
): { readonly broker: BrokerStub; readonly notes: readonly Note[] } {
  if (authentication === undefined) {
    const words = name === undefined ? "no TriggerAuthentication" : `TriggerAuthentication ${name} is not in the file`;
    return {
      broker: { uriFrom: { secretKeyRef: STUB } },
      notes: [
        { field: `${at}.authenticationRef`, ...check(`${words}: the Broker names Secret ${STUB.name}, key ${STUB.key}; correct it`) },
      ],
    };
  }
  const spec = mapOf(authentication["spec"]);
  const references = Array.isArray(spec["secretTargetRef"]) ? spec["secretTargetRef"].map(mapOf) : [];
  const host = references.find(({ parameter }) => parameter === "host");
  const found = host === undefined ? undefined : { name: String(host["name"]), key: String(host["key"]) };
  const notes = explain(`TriggerAuthentication ${name ?? ""}: spec`, spec, AUTHENTICATION);
  if (found === undefined) {
    return { broker: { uriFrom: { secretKeyRef: STUB } }, notes };
  }
  if (!http) return { broker: { uriFrom: { secretKeyRef: found } }, notes };
  const both = {
    field: `${at}.metadata.protocol`,
    ...check(`${found.name}/${found.key} holds the http:// address: the amqp:// URI goes into Secret ${STUB.name}, key ${STUB.key}`),
  };
  return { broker: { uriFrom: { secretKeyRef: STUB }, managementFrom: { secretKeyRef: found } }, notes: [...notes, both] };
}
