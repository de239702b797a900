import { expect, it } from "vitest";
import { runInProcess } from "../testing/run-in-process.ts";

it("refuses rows of no Datanet by name, before anything is asked or read", async () => {
  const { status, stdout } = await runInProcess("factory", "train", "--rows", "none.jsonl", "--json");
  expect([status, JSON.parse(stdout).error.code]).toEqual([1, "MOD_FACTORY_UPLOADS_GONE"]);
});
