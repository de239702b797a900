import { fileURLToPath } from "node:url";
import { expect, it } from "vitest";
import { objectSchemas, productSchemas, toldTwice } from "./testing/wire-schemas.ts";

const ROOT = fileURLToPath(new URL("..", import.meta.url));

/** Schemas that may stand in several workspaces, by their fields, with the reason. */
const EXCEPTIONS: Readonly<Record<string, string>> = {
  "a,amountWei,b,kind,l1BlockNumber,l1TransactionHash,queueIndex,sender,word1,word2,word3,word4":
    "a line of a snapshot's file has 0x-hex where the bridge sends decimal wei",
  "a,b,c":
    "clients read proofs with zod/mini, the bridge stores the contract's form, the factory passes a proof on as text",
  "accountUrl,askUrl,modelId,promptSha256,staticsHash":
    "payers read with zod/mini, from any server, what facilitators take closed",
  "answer,query,rows": "the gateway describes each field to agents; clients read with zod/mini",
  "contributorId,row,score,share,validatorId":
    "the gateway describes each field to agents; clients read with zod/mini",
  "chainId,epoch,modelId,rollupAddress": "jobs of two queues, each written and read by one process",
  "r8x,r8y,s": "records keep a signature's numbers as text, since their bytes are hashed",
};

it("no object schema stands in two workspaces, but for a reason", () => {
  const twice = toldTwice(productSchemas(ROOT));
  const unexplained = [...twice].filter(([fields]) => !Object.hasOwn(EXCEPTIONS, fields));
  expect(Object.fromEntries(unexplained)).toEqual({});
  expect(
    Object.keys(EXCEPTIONS).filter((fields) => !twice.has(fields)),
    "exceptions of nothing",
  ).toEqual([]);
});

it("a schema that is told twice is found, whatever is around its fields", () => {
  const one = objectSchemas(
    "client/a.ts",
    'const s = z.strictObject({ "a": z.string().regex(/[,"{]/), b, /** c, d */ c: x({ e: 1 }) });',
  );
  const other = objectSchemas(
    "sequencer/b.ts",
    "z.object({\n  // then, c\n  c: z.array(z.object({ q: w })), b: `,`, a: '}',\n})",
  );
  expect(one.map(({ fields }) => fields)).toEqual(["a,b,c"]);
  expect([...toldTwice([...one, ...other])]).toEqual([["a,b,c", ["client/a.ts:1", "sequencer/b.ts:1"]]]);
  expect(toldTwice([...one, ...objectSchemas("client/c.ts", "z.object({ a, b, c })")]).size).toBe(0);
  expect(
    objectSchemas("client/d.ts", "z.object({ ...common, a, b, c })"),
    "its fields are elsewhere",
  ).toEqual([]);
});
