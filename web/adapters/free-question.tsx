/**
 * Conversation on the adapters' page with an adapter that is not on the ledger: questions go straight to its server, unpaid and
 * unchecked.
 */
import { streamCompletion } from "@openledger/client/actions/answers/completion-stream";
import { useState } from "preact/hooks";
import type { Adapter } from "../ask/listed-adapters.ts";
import { Chat, type ChatTurn, FreeAnswer, type PendingTurn } from "../chat/chat.tsx";
import { useAction } from "../ledger/use-action.ts";

/** Maximum tokens of an answer. */
const ANSWER_TOKENS = 128;

/** An adapter that is not on the ledger: nobody is paid, and nothing is proven. */
export function FreeQuestion({ adapter }: { adapter: Adapter }) {
  const [turns, setTurns] = useState<readonly ChatTurn[]>([]);
  const [pending, setPending] = useState<PendingTurn | null>(null);
  const [question, setQuestion] = useState("");
  const asking = useAction();
  const ask = () =>
    asking.run(async () => {
      let text = "";
      const show = (soFar: string) => {
        text = soFar;
        setPending({ question, soFar, note: "generating" });
      };
      show("");
      const { name: model, serverUrl } = adapter;
      try {
        await streamCompletion({ serverUrl, model, prompt: question, maxTokens: ANSWER_TOKENS }, show);
        setTurns((now) => [...now, { key: now.length, question, answer: <FreeAnswer text={text} /> }]);
        setQuestion("");
      } finally {
        setPending(null);
      }
    });
  return (
    <Chat
      turns={turns}
      pending={pending}
      question={question}
      onQuestion={setQuestion}
      label="Your text"
      lineCount={6}
      placeholder="Start a text: the adapter continues it."
      help="Free: there is no receipt, and no row earns. Only the server sees your text."
      asking={asking}
      onAsk={() => void ask()}
      buttonLabel="Ask"
    />
  );
}
