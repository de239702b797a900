/** Tests that a page's kernels, which its script brings along, make the same bytes in Chromium as in Node. */
import { expect, test } from "vitest";
import { runKernels } from "./testing/run-kernels.ts";
import { openSmallPage } from "./testing/small-page.ts";

test("kernels of models make the same bytes in a page as in Node, without a further request", {
  timeout: 300_000,
}, async () => {
  const { page, problems } = await openSmallPage(
    new URL("testing/run-kernels.ts", import.meta.url),
    "runKernels",
  );
  const requests: string[] = [];
  page.on("request", (request) => requests.push(request.url()));
  const there = await page.evaluate(() => (globalThis as unknown as { runKernels(): string }).runKernels());
  expect(problems.filter((line) => !line.includes("favicon"))).toEqual([]);
  expect(requests).toEqual([]);
  expect(there === runKernels()).toBe(true);
});
