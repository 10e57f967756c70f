import { createHash, randomBytes } from "node:crypto";

const sha256 = (...parts: readonly (Buffer | string)[]): Buffer => {
  const hash = createHash("sha256");
  for (const part of parts) hash.update(part);
  return hash.digest();
};

/**
 * RabbitMQ's salted SHA-256 (rabbitmq.com/docs/passwords): four bytes of salt, then the hash of salt and password, in base64. The salt is made
 * of the object's uid, so that the same password of the same object is the same hash, and a read-back can be compared.
 */
export function passwordHash(password: string, uid: string): string {
  const salt = sha256(uid).subarray(0, 4);
  return Buffer.concat([salt, sha256(salt, password)]).toString("base64");
}

/** 192 random bits, in characters that stand in a URI as they are. */
export const newPassword = (): string => randomBytes(24).toString("base64url");
