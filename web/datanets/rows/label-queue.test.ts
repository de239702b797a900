import { expect, it } from "vitest";
import { FETCHED_ROWS, LabelQueue, type QueueRow } from "./label-queue.ts";

const rowOf = (i: number) => ({ digest: `${i}`, excerpt: `row ${i}` }) as QueueRow;

/** A host with rows, which answers when it is told to: it returns the first row that the page does not have. */
function slowHost(rowCount: number) {
  const labelled = new Set<string>();
  const asked: string[][] = [];
  let answer = () => {};
  const queue = new LabelQueue(async (onPage) => {
    asked.push([...onPage]);
    await new Promise<void>((settle) => {
      answer = settle;
    });
    const free = Array.from({ length: rowCount }, (_, i) => rowOf(i)).filter(
      ({ digest }) => !onPage.includes(digest) && !labelled.has(digest),
    );
    return free.slice(0, 1);
  });
  return {
    queue,
    asked,
    shown: () => queue.rows.value.map(({ digest }) => digest),
    /** Lets the host answer, and the queue go on. */
    async answer() {
      answer();
      await new Promise((settle) => setTimeout(settle));
    },
    label() {
      labelled.add(queue.rows.value[0]!.digest);
      void queue.next();
    },
  };
}

it("fetches the next row before its turn, and shows none twice where somebody is faster than the host", async () => {
  const host = slowHost(4);
  void host.queue.fill();
  await host.answer();
  await host.answer();
  expect(host.shown()).toEqual(["0", "1"]);
  host.label();
  host.label();
  expect(host.shown()).toEqual([]);
  // The request was made while row 1 was on the page.
  await host.answer();
  expect(host.shown()).toEqual(["2"]);
  await host.answer();
  expect(host.shown()).toEqual(["2", "3"]);
  expect(host.asked).toEqual([[], ["0"], ["1"], ["2"]]);
  expect(host.queue.rows.value.length).toBe(FETCHED_ROWS);
});

it("is empty once the host has no row and the page none either", async () => {
  const host = slowHost(1);
  void host.queue.fill();
  await host.answer();
  // No further row: the one on the page is the last.
  host.label();
  expect(host.queue.isEmpty.value).toBe(false);
  await host.answer();
  await host.answer();
  expect([host.shown(), host.queue.isEmpty.value]).toEqual([[], true]);
  host.queue.putBack(rowOf(0));
  expect([host.shown(), host.queue.isEmpty.value]).toEqual([["0"], false]);
});

it("asks again after a host that did not answer", async () => {
  let count = 0;
  const queue = new LabelQueue(async (onPage) => {
    count += 1;
    if (count === 1) throw new Error("no answer");
    return onPage.length === 0 ? [rowOf(0)] : [];
  });
  await expect(queue.fill()).rejects.toThrow("no answer");
  await queue.fill();
  expect(queue.rows.value.map(({ digest }) => digest)).toEqual(["0"]);
});
