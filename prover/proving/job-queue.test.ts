import { expect, test } from "vitest";
import { JobQueue, type QueuedJob } from "./job-queue.ts";
import type { ProofJob, ProofResult } from "./prover.ts";

test("tells the job that is next while another one runs, once each, and none that was cancelled before", async () => {
  const events: string[] = [];
  const nameOf = ({ job }: QueuedJob) => job.circuit.name;
  const ends = new Map<string, () => void>();
  const queue = new JobQueue<ProofResult>({
    run(queued) {
      events.push(`run ${nameOf(queued)}`);
      return new Promise((resolve) => ends.set(nameOf(queued), () => resolve({} as ProofResult)));
    },
    stop: () => {},
    ahead: (queued) => events.push(`ahead ${nameOf(queued)}`),
  });
  const add = (name: string, signal?: AbortSignal) =>
    queue.add({ circuit: { name } } as ProofJob, signal === undefined ? {} : { signal });
  const end = async (name: string) => {
    await expect.poll(() => ends.has(name)).toBe(true);
    ends.get(name)!();
  };
  const stop = new AbortController();
  const first = add("a");
  const cancelled = add("b", stop.signal);
  const last = [add("c"), add("d")];
  expect(events).toEqual(["run a", "ahead b"]);
  stop.abort();
  await expect(cancelled).rejects.toMatchObject({ code: "PRV_CANCELLED" });
  expect(events.splice(0)).toEqual(["run a", "ahead b", "ahead c"]);
  await end("a");
  await first;
  await end("c");
  await end("d");
  await Promise.all(last);
  expect(events.splice(0)).toEqual(["run c", "ahead d", "run d"]);
  const alone = add("e");
  await end("e");
  await alone;
  expect(events).toEqual(["run e"]);
});
