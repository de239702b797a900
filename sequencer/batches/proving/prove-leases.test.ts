import { expect, it } from "vitest";
import { ProveLeases } from "./prove-leases.ts";

const LEASE_MS = 1_000;
const jobs = [{ batchHash: "0x01" }, { batchHash: "0x02" }];

it("gives a prover its own job again, and others the next one, until the lease is over", () => {
  const leases = new ProveLeases(LEASE_MS);
  expect(leases.take(jobs, "a", 5_000)).toBe(jobs[0]);
  expect(leases.take(jobs, "a", 5_500)).toBe(jobs[0]);
  expect(leases.take(jobs, "b", 5_500)).toBe(jobs[1]);
  expect(leases.take(jobs, "c", 5_999)).toBeNull();
  expect(leases.take(jobs, "c", 6_500)).toBe(jobs[0]);
});

it("holds no job for a day because the clock was set back by one", () => {
  const leases = new ProveLeases(LEASE_MS);
  leases.take(jobs, "gone", 86_400_000);
  expect(leases.take(jobs, "b", 10)).toBe(jobs[0]);
});
