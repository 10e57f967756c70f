import { expect, test } from "vitest";
import { Stopper } from "./stopper.ts";

test("the first reason is the signal's, whoever asks for it when; each abort is told", () => {
  const told: string[] = [];
  const stopper = new Stopper();
  stopper.onAbort = ({ message }) => void told.push(message);
  expect(stopper.aborted).toBe(false);
  stopper.abort(new Error("first"));
  expect(stopper.aborted).toBe(true);
  expect(stopper.signal.reason).toMatchObject({ message: "first" });
  stopper.abort(new Error("second"));
  expect(stopper.signal.reason).toMatchObject({ message: "first" });
  expect(told).toEqual(["first", "second"]);
});

test("a signal that was asked for before aborts too", () => {
  const stopper = new Stopper();
  const { signal } = stopper;
  expect(signal.aborted).toBe(false);
  stopper.abort(new Error("stop"));
  expect(signal.aborted).toBe(true);
});
