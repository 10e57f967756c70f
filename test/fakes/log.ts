import type { Log } from "../../operator/runtime/log.ts";

export interface RecordedLine {
  readonly level: "debug" | "info" | "warn" | "error";
  readonly message: string;
  readonly fields: object;
}

export interface RecordingLog extends Log {
  readonly lines: readonly RecordedLine[];
}

/** A log that keeps its lines, those of its children too, and prints nothing. */
export function createRecordingLog(lines: RecordedLine[] = [], base: object = {}): RecordingLog {
  const write = (level: RecordedLine["level"]) => (fields: object, message: string) => {
    lines.push({ level, message, fields: { ...base, ...fields } });
  };
  return {
    lines,
    debug: write("debug"),
    info: write("info"),
    warn: write("warn"),
    error: write("error"),
    child: (fields) => createRecordingLog(lines, { ...base, ...fields }),
  };
}
