import { expect, it } from "vitest";
import type { Job } from "./job.ts";
import { JOB_STEPS, type JobResults, type JobStep } from "./job-steps.ts";
import { runSteps } from "./run-job.ts";

function createJob(signal = new AbortController().signal) {
  const titles: string[] = [];
  const announced: [string, number][] = [];
  const job = {
    signal,
    console: { title: (text: string) => titles.push(text) },
    announce: (text: string, untilMs: number) => announced.push([text, untilMs]),
  } as unknown as Job;
  return { job, titles, announced };
}

const made = (
  title: string,
  seconds: number,
  run: JobStep["run"],
  needs: JobStep["needs"] = [],
): JobStep => ({
  title,
  seconds,
  needs,
  makes: [],
  run,
});

it("runs the steps in their order, each with what those before it have made", async () => {
  const { job, titles } = createJob();
  const heard: object[] = [];
  const note = (result: Partial<JobResults>) => async (_: Job, before: JobResults) => {
    heard.push(before);
    return result;
  };
  const toldCount = { toldCount: 3 };
  expect(
    await runSteps([made("one", 1, note(toldCount)), made("two", 1, note({}), ["toldCount"])], job),
  ).toEqual(toldCount);
  expect([heard, titles]).toEqual([
    [{}, toldCount],
    ["one", "two"],
  ]);
});

it("begins no step that lacks what it needs, and none after an abort", async () => {
  const { job, titles } = createJob();
  const nothing = async () => ({});
  await expect(runSteps([made("one", 1, nothing, ["leaves"])], job)).rejects.toThrow("leaves");
  expect(titles).toEqual([]);
  const stopping = new AbortController();
  const stopped = createJob(stopping.signal);
  const stop = async () => {
    stopping.abort(new Error("told to stop"));
    return {};
  };
  await expect(runSteps([made("one", 1, stop), made("two", 1, nothing)], stopped.job)).rejects.toThrow(
    "told",
  );
  expect(stopped.titles).toEqual(["one"]);
});

it("announces when the job may be over, at the pace of the steps before", async () => {
  const { announced, job } = createJob();
  let nowMs = 0;
  const lasting = (ms: number) => async () => {
    nowMs += ms;
    return {};
  };
  const steps = [made("a", 10, lasting(20_000)), made("b", 20, lasting(1)), made("c", 10, lasting(0))];
  await runSteps(steps, job, () => nowMs);
  expect(announced.slice(0, 2)).toEqual([
    ["a", 40_000],
    // Twice as slow as on a quiet machine.
    ["b", 20_000 + 60_000],
  ]);
});

it("every step of the job has what it needs of the steps before, and nothing is made twice", () => {
  const made = new Set<string>();
  for (const { makes, needs, title } of JOB_STEPS) {
    expect([title, needs.filter((name) => !made.has(name))]).toEqual([title, []]);
    expect([title, makes.filter((name) => made.has(name))]).toEqual([title, []]);
    for (const name of makes) made.add(name);
  }
  const titles = JOB_STEPS.map(({ title }) => title);
  expect(new Set(titles).size).toBe(titles.length);
});
