/** Holds the formula of a circuit's id in the docs against the contract's source. */
import { readFileSync } from "node:fs";
import { repositoryRoot } from "@openledger/circuits/compiler/compile";
import { expect, it } from "vitest";

const read = (path: string) => readFileSync(`${repositoryRoot}/${path}`, "utf8");

it("hashes for a circuitId what docs/reference/ledger.md and docs/reference/settlement.md say", () => {
  const hashed = /circuitId = keccak256\(\s*abi\.encode\(([^;]*)\)\s*\);/.exec(
    read("contracts/rollup/BatchVerifier.sol"),
  );
  const wanted = hashed![1]!
    .replaceAll(/\s|config\./g, "")
    .replace("CIRCUIT_TAG", 'keccak256("OpenLedgercircuitv1")');
  for (const page of ["docs/reference/ledger.md", "docs/reference/settlement.md"]) {
    const said = /circuitId = keccak256\(abi\.encode\((keccak256\(.*)\)\)/.exec(read(page));
    expect(said![1]!.replaceAll(" ", ""), page).toBe(wanted);
  }
  const points = /uint256\[2\]\[(\d)\] ic;/.exec(read("contracts/rollup/IBatchVerifier.sol"))?.[1];
  expect(read("docs/reference/ledger.md")).toContain(`ic[${points}][2]`);
});
