import { registerHooks } from "node:module";

/** In the source tree this file lies in `tasks/`; in the bundle everything lies in one folder. */
const inSource = import.meta.url.endsWith(".ts");
const OWN: ReadonlyMap<string, string> = new Map([
  ["longshore", new URL(inSource ? "../sdk.ts" : "./sdk.mjs", import.meta.url).href],
  ["longshore/locks", new URL(inSource ? "../locks.ts" : "./locks.mjs", import.meta.url).href],
  ["zod", inSource ? import.meta.resolve("zod") : new URL("./zod.mjs", import.meta.url).href],
]);

const FORMATS: readonly (readonly [ending: RegExp, format: string])[] = [
  [/\.m?ts$/, "module-typescript"],
  [/\.m?js$/, "module"],
];

/**
 * Lets the modules of a folder write `import { defineTask } from "longshore"` and `import * as z from "zod"` wherever the folder is:
 * both names lead to this worker's own modules, so that classes are the same on both sides. Files of the folder are ES modules
 * without a package.json; `stripped` are the TypeScript ones as JavaScript, by URL, and Node strips what is not there.
 * Never changes how any other module is found.
 */
export function openModules(folder: URL, stripped: ReadonlyMap<string, string>): Disposable {
  const prefix = folder.href.endsWith("/") ? folder.href : `${folder.href}/`;
  const isUsers = (url: string | undefined): boolean =>
    url?.startsWith(prefix) === true && !url.slice(prefix.length).includes("node_modules/");
  const hooks = registerHooks({
    resolve(specifier, context, next) {
      const own = isUsers(context.parentURL) ? OWN.get(specifier) : undefined;
      if (own !== undefined) return next(own, context);
      const found = next(specifier, context);
      const format = isUsers(found.url) ? FORMATS.find(([ending]) => ending.test(found.url))?.[1] : undefined;
      return format === undefined ? found : { ...found, format };
    },
    load(url, context, next) {
      const source = stripped.get(url);
      return source === undefined ? next(url, context) : { format: "module", source, shortCircuit: true };
    },
  });
  return { [Symbol.dispose]: () => hooks.deregister() };
}
