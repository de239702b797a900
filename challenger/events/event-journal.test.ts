import { mkdir, readFile, rm, rmdir } from "node:fs/promises";
import { join } from "node:path";
import { testFolder } from "@openledger/foundation/testing/test-fixtures";
import { expect, test } from "vitest";
import { EventJournal } from "./event-journal.ts";

const folder = testFolder("event-journal");

test("a file that cannot be written keeps nobody from what happens on L1; later it has all again", async () => {
  const path = join(folder, "games.jsonl");
  const said: string[] = [];
  const journal = new EventJournal(path, "games", (why) => said.push(why));
  const cursorAt = (block: number) => ({ block, hash: `0x${block}` }) as const;
  const facts = [{ block: 1 }, { block: 2 }, { block: 3 }];
  await journal.open();
  await journal.append(cursorAt(1), facts.slice(0, 1), facts.slice(0, 1));
  await rm(path);
  await mkdir(path);
  await journal.append(cursorAt(2), facts.slice(1, 2), facts.slice(0, 2));
  expect(said).toEqual([expect.stringContaining(`${path} cannot be written`)]);
  await rmdir(path);
  await journal.append(cursorAt(3), facts.slice(2), facts);
  expect(await new EventJournal(path, "games").open()).toEqual({ cursor: cursorAt(3), facts });
  expect((await readFile(path, "utf8")).split("\n")).toHaveLength(3);
});
