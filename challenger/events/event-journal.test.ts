import { mkdir, readFile, rm, rmdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { testFolder } from "@openledger/foundation/testing/test-fixtures";
import { createPublicClient, custom, toHex, zeroAddress } from "viem";
import { expect, test } from "vitest";
import { EventJournal } from "./event-journal.ts";
import { EventLog } from "./event-log.ts";

const folder = testFolder("event-journal");

test("a file that cannot be written keeps nobody from what happens on L1; later it has all again", async () => {
  const path = join(folder, "games.jsonl");
  const said: string[] = [];
  const journal = new EventJournal(path, "games", (why) => said.push(why));
  const cursorAt = (block: number) => ({ block, hash: `0x${block}` }) as const;
  const facts = [{ block: 1 }, { block: 2 }, { block: 3 }];
  await journal.open();
  await journal.append(cursorAt(1), facts.slice(0, 1), facts.slice(0, 1));
  const before = await readFile(path);
  await rm(path);
  await mkdir(path);
  await journal.append(cursorAt(2), facts.slice(1, 2), facts.slice(0, 2));
  expect(said).toEqual([expect.stringContaining(`${path} cannot be written`)]);
  // What is forgotten then is not in the file that comes back.
  await journal.clear();
  expect(said).toHaveLength(2);
  await rmdir(path);
  await writeFile(path, before);
  await journal.append(cursorAt(3), facts.slice(2), facts);
  expect(await new EventJournal(path, "games").open()).toEqual({ cursor: cursorAt(3), facts });
  expect((await readFile(path, "utf8")).split("\n")).toHaveLength(3);
});

test("more events than a call has arguments are read", async () => {
  const logs = Array.from({ length: 130_000 }, () => ({ blockNumber: "0x1" }));
  const answers = {
    eth_blockNumber: toHex(70),
    eth_getCode: "0x00",
    eth_getBlockByNumber: { hash: "0x1" },
    eth_getLogs: logs,
  };
  const request = async ({ method }: { method: keyof typeof answers }) => answers[method];
  const client = createPublicClient({ transport: custom({ request } as never) });
  const source = { address: zeroAddress, topics: [], factOf: () => ({ block: 1 }) };
  expect(await new EventLog(client, [source]).read()).toHaveLength(logs.length);
});
