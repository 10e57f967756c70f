import { createHash } from "node:crypto";
import { defineTask, z } from "longshore";

/** Stands for work that computes: hashes a text many times over. */
export const thumbnail = defineTask({
  name: "videos.thumbnail",
  kwargs: z.object({ video: z.string(), rounds: z.int().min(1).default(100_000) }),
  run({ video, rounds }) {
    let digest = video;
    for (let round = 0; round < rounds; round += 1) digest = createHash("sha256").update(digest).digest("hex");
    return digest;
  },
});
