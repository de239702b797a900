import { getBatch, getLeaf, getOperation } from "@openledger/client/sequencer/ledger-reads";
import type { SequencerAccess } from "@openledger/client/sequencer/sequencer-request";
import { isRollupError } from "@openledger/foundation/rollup-error";
import { useState } from "preact/hooks";
import { getAddress, isAddress } from "viem";
import { Button } from "../design/button.tsx";
import { Field } from "../design/field.tsx";
import { batchHref, leafHref, operationHref } from "../words/links.tsx";
import { type Problem, ProblemNotice, problemOf } from "../words/problem.tsx";

const HASH = /^0x[0-9a-fA-F]{64}$/;

type Found = { readonly href: string } | { readonly nothing: string };

/** @returns where what was asked for is shown, or why nothing is */
async function find(access: SequencerAccess, text: string): Promise<Found> {
  const wanted = text.trim();
  const [, batchNumber] = /^batch\s*#?\s*(\d{1,15})$/i.exec(wanted) ?? [];
  if (batchNumber !== undefined) {
    const batch = await getBatch(access, Number(batchNumber));
    return batch === null
      ? { nothing: `There is no batch ${batchNumber}.` }
      : { href: batchHref(batch.number) };
  }
  if (/^\d{1,8}$/.test(wanted)) {
    try {
      return { href: leafHref((await getLeaf(access, Number(wanted))).id) };
    } catch (error) {
      if (!isRollupError(error, "CLI_LEAF_NOT_FOUND")) throw error;
      return { nothing: `No account, Datanet or model has the number ${wanted}.` };
    }
  }
  if (isAddress(wanted, { strict: false })) return { href: `#/address/${getAddress(wanted)}` };
  if (HASH.test(wanted)) {
    const operation = await getOperation(access, wanted as `0x${string}`);
    return operation === null
      ? { nothing: "The server knows no operation with this hash." }
      : { href: operationHref(operation.hash) };
  }
  return { nothing: "Give a leaf's number, “batch 7”, an Ethereum address, or an operation's hash." };
}

/** One field for whatever has a number, an address or a hash. */
export function Search({ access }: { access: SequencerAccess }) {
  const [text, setText] = useState("");
  const [isBusy, setBusy] = useState(false);
  const [nothing, setNothing] = useState<string | null>(null);
  const [problem, setProblem] = useState<Problem | null>(null);
  const search = async () => {
    setBusy(true);
    setProblem(null);
    try {
      const found = await find(access, text);
      if ("href" in found) window.location.hash = found.href;
      else setNothing(found.nothing);
    } catch (error) {
      setProblem(problemOf(error));
    } finally {
      setBusy(false);
    }
  };
  return (
    <form
      class="stack-s"
      aria-label="Search"
      onSubmit={(event) => {
        event.preventDefault();
        void search();
      }}
    >
      <Field
        label="Search"
        value={text}
        onInput={(value) => {
          setText(value);
          setNothing(null);
        }}
        help="A leaf's number, “batch 7”, an Ethereum address, an operation's hash"
        problem={nothing}
        after={
          <Button type="submit" isSmall isBusy={isBusy} isDisabled={text.trim() === ""}>
            Search
          </Button>
        }
      />
      {problem !== null && <ProblemNotice problem={problem} />}
    </form>
  );
}
