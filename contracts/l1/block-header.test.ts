import { keccak256, numberToHex } from "viem";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { connect } from "../testing/rollup-fixture.ts";
import { type Anvil, startAnvil } from "./anvil.ts";
import { encodeHeader, type RpcHeader } from "./block-header.ts";

let anvil: Anvil;
let client: Awaited<ReturnType<typeof connect>>;

beforeAll(async () => {
  anvil = await startAnvil();
  client = await connect(anvil);
});
afterAll(() => anvil?.stop());

async function readBlock(number: number): Promise<RpcHeader> {
  const request = { method: "eth_getBlockByNumber", params: [numberToHex(number), false] };
  return (await client.request(request as never)) as RpcHeader;
}

describe("encodeHeader", () => {
  test("gives the bytes of the block's hash, for empty blocks and blocks with transactions", async () => {
    const [account] = await client.getAddresses();
    await client.mine({ blocks: 300 });
    for (let i = 0; i < 3; i++) await client.sendTransaction({ account: account!, to: account!, value: 1n });
    const newest = Number(await client.getBlockNumber());
    // Numbers of one, two and three RLP bytes, and 0, which has none.
    for (const number of [0, 1, 127, 128, 255, 256, newest - 1, newest]) {
      const block = await readBlock(number);
      expect(keccak256(encodeHeader(block)), `block ${number}`).toBe(block.hash);
    }
  });

  test("gives the hashes of mainnet's blocks before the forks that added fields", () => {
    // Block 1 of Ethereum's main network, as any node answers.
    const zeros = (byteCount: number) => `0x${"00".repeat(byteCount)}` as const;
    const first: RpcHeader = {
      hash: "0x88e96d4537bea4d9c05d12549907b32561d3bf31f45aae734cdc119f13406cb6",
      parentHash: "0xd4e56740f876aef8c010b86a40d5f56745a118d0906a34e69aec8c0db1cb8fa3",
      sha3Uncles: "0x1dcc4de8dec75d7aab85b567b6ccd41ad312451b948a7413f0a142fd40d49347",
      miner: "0x05a56e2d52c817161883f50c441c3228cfe54d9f",
      stateRoot: "0xd67e4d450343046425ae4271474353857ab860dbc0a1dde64b41b5cd3a532bf3",
      transactionsRoot: "0x56e81f171bcc55a6ff8345e692c0f86e5b48e01b996cadc001622fb5e363b421",
      receiptsRoot: "0x56e81f171bcc55a6ff8345e692c0f86e5b48e01b996cadc001622fb5e363b421",
      logsBloom: zeros(256),
      difficulty: "0x3ff800000",
      number: "0x1",
      gasLimit: "0x1388",
      gasUsed: "0x0",
      timestamp: "0x55ba4224",
      extraData: "0x476574682f76312e302e302f6c696e75782f676f312e342e32",
      mixHash: "0x969b900de27b6ac6a67742365dd65f55a0526c41fd18e1b16f1a1215c2e66f59",
      nonce: "0x539bd4979fef1ec4",
    };
    expect(keccak256(encodeHeader(first))).toBe(first.hash);
  });

  test("refuses a block whose fields do not give its hash, and one that has none yet", async () => {
    const block = await readBlock(1);
    for (const changed of [
      { ...block, mixHash: block.parentHash },
      { ...block, timestamp: "0x1" as const },
      { ...block, requestsHash: undefined },
      { ...block, hash: null },
      { ...block, number: null, nonce: null, logsBloom: null },
    ]) {
      expect(() => encodeHeader(changed)).toThrow(expect.objectContaining({ code: "CON_HEADER_UNKNOWN" }));
    }
  });
});
