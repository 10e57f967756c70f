import { CONVERT_USAGE, convert } from "./convert.ts";
import { IMPORT_USAGE, importDefinitions } from "./import.ts";
import { REDRIVE_USAGE, redrive } from "./redrive.ts";
import { SIMULATE_USAGE, simulate } from "./simulate.ts";
import { UsageError } from "./yaml-source.ts";

/** Every command, one line each. */
const COMMANDS: Readonly<Record<string, (args: readonly string[], folder: string, print: (text: string) => void) => Promise<void>>> = {
  simulate,
  convert,
  import: importDefinitions,
  redrive: (args, _folder, print) => redrive(args, process.env, print),
};

const print = (text: string): void => void process.stdout.write(text);
const [name = "", ...args] = process.argv.slice(2);
const command = COMMANDS[name];

if (command === undefined) {
  const usages = [SIMULATE_USAGE, CONVERT_USAGE, IMPORT_USAGE, REDRIVE_USAGE];
  process.stderr.write(`${name === "" ? "" : `no command ${JSON.stringify(name)}\n\n`}${usages.join("\n")}`);
  process.exitCode = 2;
} else {
  // `npm run` changes to the package's folder: paths are meant from where the user is.
  await command(args, process.env["INIT_CWD"] ?? process.cwd(), print).catch((error: unknown) => {
    const isUsage =
      error instanceof UsageError || (error instanceof Error && "code" in error && String(error.code).startsWith("ERR_PARSE_ARGS"));
    if (!isUsage) throw error;
    process.stderr.write(`${error.message}\n`);
    process.exitCode = 2;
  });
}
