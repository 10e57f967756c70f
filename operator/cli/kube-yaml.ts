import { stringify } from "yaml";

/** An object as a document that kubectl reads as it was meant: it takes YAML 1.1, where a plain y, n, on or 1:30 is no text. Never throws. */
export const kubeYaml = (object: object): string => stringify(object, { compat: "yaml-1.1", lineWidth: 0, aliasDuplicateObjects: false });
