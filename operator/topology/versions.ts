import type { BrokerObject } from "../adapters/ports.ts";

/** Arguments, and what vhosts have, that an older broker ignores or cannot explain, with the first version that acts on them. */
const SINCE: ReadonlyMap<string, string> = new Map([
  ["x-consumer-timeout", "4.3"],
  ["x-consumer-disconnected-timeout", "4.3"],
  ["x-delayed-retry-type", "4.3"],
  ["x-delayed-retry-min", "4.3"],
  ["x-delayed-retry-max", "4.3"],
  ["x-stream-filter-size-bytes", "3.13"],
  ["protected_from_deletion", "4.1"],
]);

/** What these objects ask for that needs another version, as `x-consumer-timeout needs 4.3`; a broker of that version or later has it all. */
export interface Needs {
  readonly version: string;
  readonly what: string;
}

/** The newest version that any of them needs; undefined where every broker will do. */
export function versionNeeded(objects: readonly BrokerObject[]): Needs | undefined {
  let newest: Needs | undefined;
  for (const object of objects) {
    const properties = object.type === "queue" ? object.arguments : object.type === "vhost" ? object.properties : {};
    for (const argument of Object.keys(properties)) {
      const version = SINCE.get(argument);
      if (version !== undefined && (newest === undefined || isOlder(newest.version, version))) newest = { version, what: argument };
    }
  }
  return newest;
}

/** Compares major and minor. A version that is not known yet, "", is not older than anything. */
export function isOlder(version: string, than: string): boolean {
  const [[major = 0, minor = 0], [wantedMajor = 0, wantedMinor = 0]] = [version, than].map((text) => text.split(".").map(Number)) as [
    number[],
    number[],
  ];
  return version !== "" && (major < wantedMajor || (major === wantedMajor && minor < wantedMinor));
}
