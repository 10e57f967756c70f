import { Redis } from "ioredis";

/** The Redis that the suite's own Python asks, too. */
export const redis = new Redis({ host: "127.0.0.1", port: Number(process.env["REDIS_PORT"]), lazyConnect: true });
