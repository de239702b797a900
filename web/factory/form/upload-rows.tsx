/** Form on the factory's page of rows to upload one's own file, to try a base on it. */
import { readPassages } from "@openledger/datanets/import/without-card";
import { DropFiles } from "../../design/drop-files.tsx";
import { useAction } from "../../ledger/use-action.ts";
import { ProblemNotice } from "../../words/problem.tsx";
import { useHref } from "../factory-links.ts";
import type { FactorySession } from "../factory-session.ts";

/** Characters of a data set's name. */
const MAX_NAME = 80;

/** Upload of one's own rows to the factory, to try a base on them. */
export function UploadRows({ factorySession }: { factorySession: FactorySession }) {
  const sending = useAction();
  const send = (file: File) =>
    sending.run(async () => {
      const rows = await readPassages(file.name, new Uint8Array(await file.arrayBuffer()));
      const decoder = new TextDecoder();
      const jsonl = rows.map((row) => decoder.decode(row)).join("\n");
      const name = file.name.slice(0, MAX_NAME);
      const made = await factorySession.factory.addDataset({ kind: "upload", name, jsonl });
      window.location.hash = useHref(made.id);
    });
  return (
    <section class="card stack">
      <h2>Or upload your own rows</h2>
      <p class="soft">
        The factory stores them and trains a language model. That model can be exported but not registered.
        For private rows, run your own factory.
      </p>
      <DropFiles
        title={sending.isBusy ? "Uploading …" : "Drop a file"}
        accept=".txt,.md,.docx,.pdf,.jsonl,.ndjson,.json,.csv,.tsv,.parquet,text/plain,text/csv"
        help="Text files: empty lines separate rows. Documents: each heading starts a row. JSON, CSV or Parquet: “text”, “prompt” and “answer”, or “messages”."
        onFiles={([file]) => void send(file!)}
      />
      {sending.problem !== null && <ProblemNotice problem={sending.problem} />}
    </section>
  );
}
