/** Everything that was contributed, and its check in this browser. */

import type { CeremonyEntry } from "@openledger/prover/ceremony/ceremony-api";
import { useState } from "preact/hooks";
import { Button } from "../design/button.tsx";
import { Identifier } from "../design/identifier.tsx";
import { Notice } from "../design/notice.tsx";
import { Table } from "../design/table.tsx";
import { showTime } from "../words/format.ts";
import { type Problem, ProblemNotice, problemOf } from "../words/problem.tsx";
import type { Ceremony } from "./ceremony.ts";
import { runInWorker } from "./run-worker.ts";

export function TranscriptPart({ ceremony }: { ceremony: Ceremony }) {
  const { entries, info } = ceremony;
  return (
    <section class="card stack" aria-label="Transcript">
      <h2>Transcript</h2>
      <Table<CeremonyEntry>
        caption="Contributions, the last one first"
        rows={[...entries].reverse()}
        keyOf={({ index }) => index}
        empty="No contributions yet."
        columns={[
          { label: "Number", isNumber: true, cell: ({ index }) => index },
          { label: "Who", cell: ({ name }) => name || "without a name" },
          { label: "When", cell: ({ atMs }) => showTime(atMs) },
          { label: "Hash", cell: ({ hash }) => <Identifier value={hash} label="the contribution's hash" /> },
        ]}
      />
      {info.finished !== null && (
        <>
          <p>
            It ended with the public value <Identifier value={info.finished.beaconHex} label="the beacon" />,
            hashed 2<sup>{info.finished.iterationsExp}</sup> times.{" "}
            <a href="./v1/key" download={`${info.circuitName}.zkey`}>
              Download the finished key
            </a>
          </p>
          <p class="small soft">
            Its SHA-256: <Identifier value={info.finished.zkeySha256} label="the key's SHA-256" />
          </p>
        </>
      )}
      {entries.length > 0 && <CheckChain ceremony={ceremony} />}
      <p class="small soft">
        <a href="./v1/transcript">The transcript as JSON</a>. The finished key is checked against circuit,
        powers of tau and all contributions by <code>npm run ceremony -- verify</code>, or by{" "}
        <code>snarkjs zkey verify</code>.
      </p>
    </section>
  );
}

type Verdict = { readonly checkedCount: number } | { readonly problem: Problem };

function CheckChain({ ceremony: { entries, info } }: { ceremony: Ceremony }) {
  const [progress, setProgress] = useState<readonly [number, number] | null>(null);
  const [verdict, setVerdict] = useState<Verdict | null>(null);
  const check = () => {
    setVerdict(null);
    setProgress([0, entries.length]);
    runInWorker({ kind: "check", info, entries }, (done, total) => setProgress([done, total]))
      .then(
        () => setVerdict({ checkedCount: entries.length }),
        (error: unknown) => setVerdict({ problem: problemOf(error) }),
      )
      .finally(() => setProgress(null));
  };
  return (
    <div class="stack">
      <p>
        <Button onClick={check} isBusy={progress !== null}>
          {progress === null ? "Check the chain in this browser" : `Checked ${progress[0]} of ${progress[1]}`}
        </Button>
      </p>
      {verdict !== null && "problem" in verdict && <ProblemNotice problem={verdict.problem} />}
      {verdict !== null && "checkedCount" in verdict && (
        <Notice
          tone="good"
          title={`The chain is valid: ${verdict.checkedCount} of ${verdict.checkedCount} contributions.`}
        >
          <p>Every hash follows from those before it, and every author knew the secret that they added.</p>
        </Notice>
      )}
    </div>
  );
}
