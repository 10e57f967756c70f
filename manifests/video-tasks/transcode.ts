import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { defineTask, z } from "longshore";

async function ffmpeg(args: readonly string[], signal: AbortSignal): Promise<void> {
  const child = spawn("ffmpeg", ["-v", "error", "-nostdin", "-threads", "1", ...args], { signal, stdio: ["ignore", "ignore", "pipe"] });
  let complaint = "";
  child.stderr.on("data", (chunk) => (complaint += chunk));
  const code = await new Promise<number | null>((resolve, reject) => child.once("error", reject).once("close", resolve));
  if (code !== 0) throw new Error(`ffmpeg: ${complaint.trim() || `exit status ${code}`}`);
}

/** Fetches a clip, makes it smaller, and stores it under `target`. Two messages with the same target store it once. */
export const transcode = defineTask({
  name: "video.transcode",
  kwargs: z.object({ source: z.url(), target: z.url(), height: z.int().min(16).max(2160) }),
  idempotencyKey: ({ target }) => target,
  async run({ source, target, height }, { signal, effect, log }) {
    const folder = await mkdtemp(join(tmpdir(), "clip-"));
    try {
      const [input, output] = [join(folder, "in.mp4"), join(folder, "out.mp4")];
      const clip = await fetch(source, { signal });
      if (!clip.ok) throw new Error(`GET source: HTTP ${clip.status}`);
      await writeFile(input, Buffer.from(await clip.arrayBuffer()));
      await ffmpeg(["-i", input, "-vf", `scale=-2:${height}`, "-c:v", "libx264", "-preset", "ultrafast", "-an", output], signal);
      const result = await readFile(output);
      await effect(); // from here on the store may have it: never again, unless it is known that it has not
      const stored = await fetch(target, { method: "PUT", body: result, signal });
      if (!stored.ok) throw new Error(`PUT target: HTTP ${stored.status}`);
      const sha256 = createHash("sha256").update(result).digest("hex");
      log.info({ bytes: result.length }, "clip stored");
      return { target, bytes: result.length, sha256 };
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  },
});
