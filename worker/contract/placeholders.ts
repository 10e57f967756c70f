/** `$(name)` is replaced, `$$(` is a plain `$(`: the syntax of a container's args in Kubernetes. */
const PLACEHOLDER = /\$\$\(|\$\(([^()]*)\)/g;

/** Names in a text, in their order. */
export const placeholdersOf = (text: string): readonly string[] =>
  [...text.matchAll(PLACEHOLDER)].flatMap(([, name]) => (name === undefined ? [] : [name]));

/** A text with its placeholders replaced. Never looks into what it put in. */
export const expand = (text: string, valueOf: (name: string) => string): string =>
  text.replaceAll(PLACEHOLDER, (_, name: string | undefined) => (name === undefined ? "$(" : valueOf(name)));
