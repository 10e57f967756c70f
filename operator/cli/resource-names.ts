/** Names of Kubernetes objects for things whose names may be anything. */
export interface ResourceNames {
  /** The same for the same kind and parts; different for different ones. */
  nameFor(kind: string, ...parts: readonly string[]): string;
}

/** Lower case, `-` for what Kubernetes does not take, and a number where two would be the same. At most 200 characters. */
export function createResourceNames(): ResourceNames {
  const given = new Map<string, string>();
  const taken = new Set<string>();
  return {
    nameFor(kind, ...parts) {
      const identity = JSON.stringify([kind, ...parts]);
      const known = given.get(identity);
      if (known !== undefined) return known;
      const base = parts
        .join("-")
        .toLowerCase()
        .replaceAll(/[^a-z0-9.]+/g, "-")
        .replaceAll(/\.+(?=[.-]|$)|(?<=[.-]|^)\.+/g, "-")
        .slice(0, 190)
        .replaceAll(/^[-.]+|[-.]+$/g, "");
      const stem = base === "" ? kind.toLowerCase() : base;
      let name = stem;
      for (let n = 2; taken.has(`${kind}/${name}`); n++) name = `${stem}-${n}`;
      taken.add(`${kind}/${name}`);
      given.set(identity, name);
      return name;
    },
  };
}
