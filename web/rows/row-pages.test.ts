import type { HostedRow } from "@openledger/client/datanets/row-schemas";
import { expect, it } from "vitest";
import { type AskPage, PAGE_ROWS, RowPages } from "./row-pages.ts";

const TOTAL = 1_000;
const rowAt = (index: number) => ({ digest: String(index), index }) as unknown as HostedRow;

/** Answers as a host does; cursors are the numbers of rows. */
function listen(fail = () => false) {
  const asked: Parameters<AskPage>[0][] = [];
  const ask: AskPage = async (page) => {
    asked.push(page);
    if (fail()) throw new Error("no answer");
    const from = page.after === undefined ? page.at : page.after + 1;
    const rows = Array.from({ length: Math.min(page.limit, TOTAL - from) }, (_, i) => rowAt(from + i));
    const next = from + rows.length < TOTAL ? from + rows.length - 1 : null;
    return { total: TOTAL, isTotalExact: false, undescribedCount: 3, from, next, rows };
  };
  return { asked, pages: new RowPages(ask, () => {}) };
}

it("fetches what is seen once, and goes on from the page before by its cursor", async () => {
  const { asked, pages } = listen();
  pages.want(0, 20);
  await expect.poll(() => pages.row(7)).toMatchObject({ index: 7 });
  expect([pages.total, pages.isTotalExact, pages.undescribedCount]).toEqual([TOTAL, false, 3]);
  pages.want(PAGE_ROWS - 5, PAGE_ROWS + 5);
  await expect.poll(() => pages.row(PAGE_ROWS + 4)).toMatchObject({ index: PAGE_ROWS + 4 });
  pages.want(0, 20);
  expect(asked).toEqual([
    { at: 0, limit: PAGE_ROWS },
    { at: PAGE_ROWS, limit: PAGE_ROWS, after: PAGE_ROWS - 1 },
  ]);
});

it("asks only for where a dragged scroll bar stops", async () => {
  const { asked, pages } = listen();
  for (const first of [0, 300, 500, 900]) pages.want(first, first + 20);
  await expect.poll(() => pages.row(910)).toMatchObject({ index: 910 });
  expect(asked.map(({ at }) => at)).toEqual([0, 900]);
});

it("says why nothing came, and tries again when it is asked to", async () => {
  let isDown = true;
  const { pages } = listen(() => isDown);
  pages.want(0, 20);
  await expect.poll(() => pages.failure).toMatchObject({ message: "no answer" });
  isDown = false;
  pages.want(0, 20);
  await expect.poll(() => pages.row(0)).toBeDefined();
  expect(pages.failure).toBeNull();
});
