import { expect, test } from "vitest";
import { parse } from "yaml";
import { kubeYaml } from "./kube-yaml.ts";

const words = [
  "y",
  "n",
  "on",
  "Off",
  "yes",
  "NO",
  "true",
  "null",
  "~",
  "1:30",
  "1_000",
  "0x1f",
  "017",
  "0o17",
  "1e3",
  "2026-01-01",
  "=",
  "<<",
  "",
];

test.each(["1.1", "1.2"] as const)("text stays text, as a value and as a key, for readers of YAML %s", (version) => {
  const object = { list: words, table: Object.fromEntries(words.map((word, index) => [word, index])), on: true, n: 5_000_000_000, f: 1.5 };
  expect(parse(kubeYaml(object), { version })).toEqual(object);
});
