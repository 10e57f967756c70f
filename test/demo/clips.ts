import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { ffmpegBinary } from "../product/images.ts";

const exec = promisify(execFile);

/** Sources that ffmpeg makes itself: no clip is downloaded or committed. */
const SOURCES = ["testsrc", "testsrc2", "smptebars", "mandelbrot", "rgbtestsrc", "life=s=320x180"] as const;

/** Makes the clips that are missing; returns their file names. */
export async function makeClips(folder: string): Promise<readonly string[]> {
  await mkdir(folder, { recursive: true });
  const names = SOURCES.map((_, at) => `clip-${at}.mp4`);
  for (const [at, source] of SOURCES.entries()) {
    const file = join(folder, names[at] ?? "");
    if (existsSync(file)) continue;
    const input = source.includes("=") ? source : `${source}=s=320x180`;
    await exec(ffmpegBinary, [
      "-v",
      "error",
      "-y",
      "-f",
      "lavfi",
      "-i",
      `${input}:r=12`,
      "-t",
      "2",
      "-pix_fmt",
      "yuv420p",
      "-c:v",
      "libx264",
      "-preset",
      "ultrafast",
      file,
    ]);
  }
  return names;
}
