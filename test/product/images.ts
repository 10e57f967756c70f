import { copyFile, mkdir } from "node:fs/promises";
import { createRequire } from "node:module";
import { join } from "node:path";
import { buildImage, type Cluster } from "../cluster/cluster.ts";
import { home } from "../cluster/home.ts";
import { root, run } from "./kubectl.ts";

/** The ffmpeg that the npm package carries; the demo's worker image gets the same file. */
export const ffmpegBinary = createRequire(import.meta.url).resolve("@ffmpeg-installer/linux-x64/ffmpeg");

/** Builds the operator's and the worker's image with their own Dockerfiles, and the worker's with ffmpeg on top. */
export async function buildImages(cluster: Cluster): Promise<{ operator: string; worker: string; video: string }> {
  await run(cluster, process.execPath, ["operator/codegen/bundle.ts"]);
  const buildArgs = { BASE: cluster.baseImage };
  const operator = await buildImage({ name: "longshore-operator", dockerfile: "operator/Dockerfile", context: root, buildArgs });
  const worker = await buildImage({ name: "longshore-worker", dockerfile: "worker/Dockerfile", context: root, buildArgs });
  const context = join(home().run, "video-worker");
  await mkdir(context, { recursive: true });
  await copyFile(join(root, "manifests/video-worker/Dockerfile"), join(context, "Dockerfile"));
  await copyFile(ffmpegBinary, join(context, "ffmpeg"));
  const video = await buildImage({ name: "longshore-video-worker", dockerfile: "Dockerfile", context, buildArgs: { BASE: worker } });
  return { operator, worker, video };
}
