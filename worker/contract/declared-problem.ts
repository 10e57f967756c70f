import type { Command, DeclaredTasks, HttpCall, Parameter, ValueSource } from "./declared-tasks.ts";
import { expand, placeholdersOf } from "./placeholders.ts";

type Problem = string | undefined;

/** The first that has something to say. */
function first(...checks: readonly (() => Problem)[]): Problem {
  for (const check of checks) {
    const problem = check();
    if (problem !== undefined) return problem;
  }
  return undefined;
}

const firstOf = <T>(items: Iterable<T>, check: (item: T) => Problem): Problem => first(...[...items].map((item) => () => check(item)));

/** Each placeholder of a text must name a parameter. */
const unknownIn = (at: string, text: string | undefined, known: Readonly<Record<string, Parameter>>): Problem =>
  firstOf(placeholdersOf(text ?? ""), (name) =>
    Object.hasOwn(known, name)
      ? undefined
      : `${at}: $(${name}) names no parameter; add it to parameters, or write $$(${name}) for the text itself`,
  );

function parameterProblem(at: string, { type, pattern, default: value, enum: allowed }: Parameter): Problem {
  const isText = type === "string";
  if (!isText && (pattern !== undefined || allowed !== undefined)) return `${at}: pattern and enum are for strings, found type ${type}`;
  if (pattern !== undefined) {
    try {
      RegExp(`^(?:${pattern})$`, "u");
    } catch (error) {
      return `${at}.pattern: ${error instanceof Error ? error.message : String(error)}`;
    }
  }
  const found = value === undefined || value === null ? undefined : typeof value;
  const wanted = type === "integer" ? "number" : type;
  return found === undefined || found === wanted ? undefined : `${at}.default: found a ${found}, expected a ${type}`;
}

function sourceProblem(at: string, { name, value, fromEnv, valueFrom }: ValueSource): Problem {
  const given = [value, fromEnv, valueFrom].filter((source) => source !== undefined).length;
  return given === 1 ? undefined : `${at} (${name}): found ${given} sources, expected one of value, fromEnv, valueFrom`;
}

function commandProblem(at: string, { argv, parameters, env, idempotencyKey }: Command): Problem {
  return first(
    () =>
      placeholdersOf(argv[0] ?? "").length > 0
        ? `${at}.argv[0]: found a placeholder, expected the program itself: who sends a message must not choose it`
        : undefined,
    () => (argv[0] === "" ? `${at}.argv[0]: found an empty text, expected a program` : undefined),
    () => firstOf(argv.entries(), ([index, text]) => unknownIn(`${at}.argv[${index}]`, text, parameters)),
    () => unknownIn(`${at}.idempotencyKey`, idempotencyKey, parameters),
    () => firstOf(Object.entries(parameters), ([name, parameter]) => parameterProblem(`${at}.parameters.${name}`, parameter)),
    () => firstOf(env.entries(), ([index, source]) => sourceProblem(`${at}.env[${index}]`, source)),
  );
}

function urlProblem(at: string, url: string): Problem {
  const parsed = URL.parse(expand(url, () => "x"));
  if (parsed === null || !/^https?:$/.test(parsed.protocol)) return `${at}: expected an http(s) URL`;
  if (placeholdersOf(/^[a-z]+:\/*[^/?#]*/i.exec(url)?.[0] ?? "").length > 0)
    return `${at}: found a placeholder in the host, expected one in path or query: who sends a message must not choose the host`;
  return parsed.username === "" && parsed.password === ""
    ? undefined
    : `${at}: found a login in the URL, expected it in headers, from a Secret`;
}

function httpProblem(at: string, { url, parameters = {}, headers, idempotencyKey, body, method }: HttpCall): Problem {
  const bodiless = method === "GET" || method === "HEAD";
  return first(
    () => urlProblem(`${at}.url`, url),
    () => unknownIn(`${at}.url`, url, parameters),
    () => unknownIn(`${at}.idempotencyKey`, idempotencyKey, parameters),
    () => (bodiless && body === "Arguments" ? `${at}.body: found Arguments, expected None: ${method} has no body` : undefined),
    () => firstOf(Object.entries(parameters), ([name, parameter]) => parameterProblem(`${at}.parameters.${name}`, parameter)),
    () => firstOf(headers.entries(), ([index, source]) => sourceProblem(`${at}.headers[${index}]`, source)),
    () =>
      firstOf(headers.entries(), ([index, { name }]) =>
        /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/.test(name)
          ? undefined
          : `${at}.headers[${index}].name: ${JSON.stringify(name)} is no header's name`,
      ),
  );
}

/**
 * What is wrong with tasks that a pool declares, as a sentence with the path of the field below `at`; undefined when nothing is. Pure.
 * Never shows a value: it may be a secret.
 */
export function declaredProblem({ commands = [], http = [] }: DeclaredTasks, at: string): Problem {
  const seen = new Map<string, string>();
  const twice = ([path, name]: readonly [string, string]): Problem => {
    const other = seen.get(name);
    seen.set(name, path);
    return other === undefined ? undefined : `${path}.name: ${JSON.stringify(name)} is the name of ${other} already`;
  };
  const named = [
    ...commands.map(({ name }, index) => [`${at}.commands[${index}]`, name] as const),
    ...http.map(({ name }, index) => [`${at}.http[${index}]`, name] as const),
  ];
  return first(
    () => firstOf(named, twice),
    () => firstOf(commands.entries(), ([index, command]) => commandProblem(`${at}.commands[${index}]`, command)),
    () => firstOf(http.entries(), ([index, call]) => httpProblem(`${at}.http[${index}]`, call)),
  );
}
