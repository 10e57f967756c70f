import { appendFile } from "node:fs/promises";
import { defineTask, z } from "longshore";
import { ExpectedException, UnpickleableException, ValueError } from "./_errors.ts";
import { pause } from "./_pause.ts";
import { MODULE } from "./_signatures.ts";

const anything = z.unknown();

export const identity = defineTask({ name: `${MODULE}.identity`, kwargs: z.object({ x: anything }), run: ({ x }) => x });
export const writeToFile = defineTask({
  name: `${MODULE}.write_to_file_and_return_int`,
  kwargs: z.object({ file_name: z.string(), i: z.number() }),
  async run({ file_name, i }) {
    await appendFile(file_name, `${i}\n`);
    return i;
  },
});
export const raiseError = defineTask({
  name: `${MODULE}.raise_error`,
  args: z.array(anything),
  run() {
    throw new ValueError("deliberate error");
  },
});
export const delayedSum = defineTask({
  name: `${MODULE}.delayed_sum`,
  kwargs: z.object({ numbers: z.array(z.number()), pause_time: z.number().default(1) }),
  async run({ numbers, pause_time }, { signal }) {
    await pause(pause_time, signal);
    return numbers.reduce((sum, number) => sum + number, 0);
  },
});
export const delayedSumGuarded = defineTask({
  name: `${MODULE}.delayed_sum_with_soft_guard`,
  kwargs: z.object({ numbers: z.array(z.number()), pause_time: z.number().default(1) }),
  async run({ numbers, pause_time }, { signal }) {
    try {
      await pause(pause_time, signal);
      return numbers.reduce((sum, number) => sum + number, 0);
    } catch (error) {
      if (error instanceof Error && error.name === "SoftTimeLimitExceeded") return 0;
      throw error;
    }
  },
});
export const printUnicode = defineTask({
  name: `${MODULE}.print_unicode`,
  kwargs: z.looseObject({ log_message: anything.default("håå®ƒ valmuefrø"), print_message: anything.default("hiöäüß") }),
  run({ log_message, print_message }, { log }) {
    log.warn({ message: log_message }, "print_unicode logs");
    log.info({ message: print_message }, "print_unicode prints");
  },
});
export const returnException = defineTask({
  name: `${MODULE}.return_exception`,
  kwargs: z.object({ e: anything }),
  run: ({ e }) => [e, true],
});
export const sleeping = defineTask({
  name: `${MODULE}.sleeping`,
  // As the suite's own, which takes Celery's default.
  acksLate: false,
  kwargs: z.looseObject({ i: z.number() }),
  run: ({ i }, { signal }) => pause(i, signal),
});
export const fail = defineTask({
  name: `${MODULE}.fail`,
  // The suite sends one message of it twice, under the same id but with other error callbacks; a lease would answer the second one.
  mode: "none",
  args: z.array(anything),
  run(args) {
    throw new ExpectedException("Task expected to fail", ...args);
  },
});
export const failUnpickleable = defineTask({
  name: `${MODULE}.fail_unpickleable`,
  kwargs: z.object({ foo: z.string(), bar: z.string() }),
  run({ foo }) {
    throw new UnpickleableException(foo);
  },
});
export const replacedWithMe = defineTask({ name: `${MODULE}.replaced_with_me`, run: () => true });
