import { KINDS } from "../kinds/index.ts";
import { chartFiles } from "./chart.ts";
import { crdOf } from "./crds.ts";
import { type GeneratedFile, yamlFile } from "./generated-file.ts";

/** Every generated file of the repository, computed from the kinds alone. Reads and writes nothing. */
export function generatedFiles(): readonly GeneratedFile[] {
  return [...KINDS.map((kind) => yamlFile(`crds/${kind.plural}.yaml`, [crdOf(kind)])), ...chartFiles(KINDS)];
}
