import type { BrokerEndpoint } from "../adapters/ports.ts";
import type { Broker } from "../kinds/broker/schema.ts";
import type { SecretReader } from "../runtime/secrets.ts";

type Tls = NonNullable<Broker["spec"]["tls"]>;

/** Whom a Broker is to trust and who we are to it, from its Secrets. Throws `Waiting` that names the Secret and key that is missing. */
export async function trustOf(
  secrets: Pick<SecretReader, "read">,
  namespace: string,
  { caFrom, clientCertificateFrom: own }: Tls,
): Promise<NonNullable<BrokerEndpoint["trust"]>> {
  const ca = caFrom === undefined ? {} : { ca: await secrets.read(namespace, caFrom.secretKeyRef.name, caFrom.secretKeyRef.key) };
  if (own === undefined) return ca;
  const [cert, key] = await Promise.all(["tls.crt", "tls.key"].map((name) => secrets.read(namespace, own.name, name)));
  return { ...ca, ...(cert === undefined || key === undefined ? {} : { cert, key }) };
}
