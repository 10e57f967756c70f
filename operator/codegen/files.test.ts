import { describe, expect, test } from "vitest";
import { parseAllDocuments } from "yaml";
import * as z from "zod";
import { KINDS } from "../kinds/index.ts";
import { REASONS } from "../runtime/truth/reasons.ts";
import { chartFiles } from "./chart.ts";
import { generatedFiles } from "./files.ts";

const files = new Map(generatedFiles("9.8.7").map(({ path, text }) => [path, text]));
const text = (path: string): string => files.get(path) ?? "";

test("every kind has its CRD, twice: as it is, and in the chart", () => {
  for (const { plural, kind } of KINDS) {
    expect(parseAllDocuments(text(`crds/${plural}.yaml`)).map((one) => (one.toJS() as { kind: string }).kind)).toEqual([
      "CustomResourceDefinition",
    ]);
    expect(text(`charts/longshore/templates/crds/${plural}.yaml`)).toContain(`kind: ${kind}\n`);
  }
});

describe("the chart's CRDs", () => {
  test("are kept on uninstall and can be left out", () => {
    const [file = ""] = KINDS.map(({ plural }) => text(`charts/longshore/templates/crds/${plural}.yaml`));
    expect(file).toMatch(/^{{- if \.Values\.crds\.install }}$/m);
    expect(file).toContain("helm.sh/resource-policy: keep");
  });
  test("hold nothing that Helm would evaluate", () => {
    const kind = { ...KINDS[0]!, spec: z.strictObject({ a: z.string().meta({ description: "as {{ .x }}" }) }), rules: [], immutable: [] };
    expect(() => chartFiles([kind], [])).toThrow(/description holds {{/);
  });
});

test("install.yaml runs the images of this version", () => {
  expect(text("manifests/install.yaml")).toContain("image: longshore-operator:9.8.7");
  expect(text("manifests/install.yaml")).toContain("value: longshore-worker:9.8.7");
});

describe("the reference", () => {
  const page = text("docs/reference.md");
  test("has every kind, every reason, and what kubectl explain says", () => {
    for (const { kind, description } of KINDS) expect(page).toContain(`## ${kind}\n\n${description}`);
    for (const [reason, { advice }] of Object.entries(REASONS))
      expect(page).toContain(`| \`${reason}\` | ${REASONS[reason as keyof typeof REASONS].severity} | ${advice} |`);
    expect(page).toContain("| `autoscaling.maxReplicas` | integer, 1…10000 | `10` | Most replicas. |");
    expect(page).toContain("| `queues[].name` | text |  | Name on the broker. |");
  });
  test("lists the rules between fields, without those that only say that a field cannot change", () => {
    expect(page).toContain("- minReplicas must not exceed maxReplicas");
    expect(page).not.toContain("cannot be changed: delete");
    expect(page).toContain("- Cannot be changed: `runtime`");
  });
});
