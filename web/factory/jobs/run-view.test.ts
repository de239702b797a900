import type { JobEvent } from "@openledger/models/factory/factory-api";
import { expect, it } from "vitest";
import { viewRun } from "./run-view.ts";
import { sayTimeLeft } from "./time-left.ts";

const step = (number: number, secondsLeft: number): JobEvent => ({
  kind: "step",
  number,
  atMs: 1_000 * number,
  step: number,
  loss: 1,
  rate: 0.001,
  tokenCount: 8,
  tokensPerSecond: 8,
  secondsLeft,
});
const features = (number: number, done: number): JobEvent => ({
  kind: "stage",
  number,
  atMs: 1_000 * number,
  stage: "features",
  done,
  total: 100,
});

it("tells the time left by the last step, then by the rows whose influence is computed", () => {
  expect(viewRun([]).left).toBeNull();
  expect(viewRun([step(1, 90), step(2, 80)]).left).toEqual({ number: 2, seconds: 80 });
  const steps = [step(1, 90), step(2, 6)];
  expect(viewRun([...steps, features(3, 0)]).left).toEqual({ number: 2, seconds: 6 });
  // Ten rows took five seconds.
  expect(viewRun([...steps, features(3, 0), features(8, 10)]).left).toEqual({ number: 8, seconds: 45 });
});

it("says no more than it knows of the time left", () => {
  expect([185_000, 60_000, 59_000, 0, -9_000, -11_000].map(sayTimeLeft)).toEqual([
    "about 3 min 5 s",
    "about 1 min",
    "less than a minute",
    "less than a minute",
    "less than a minute",
    "longer than estimated",
  ]);
});
