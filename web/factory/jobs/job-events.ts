/** Hook of a job's page at the factory: follows the job's events, over interruptions too. */
import type { JobEvent } from "@openledger/models/factory/factory-api";
import { useEffect, useState } from "preact/hooks";
import { type Problem, problemOf } from "../../words/problem.tsx";
import type { FactorySession } from "../factory-session.ts";

/** Interval between two pictures: events come in bursts, and each picture takes time. */
const DRAW_MS = 150;

/** All events of a job so far. A stream that breaks is taken up again behind its last event, however often. */
export function useJobEvents(
  { factory }: FactorySession,
  jobId: string,
): { readonly events: readonly JobEvent[]; readonly problem: Problem | null } {
  const [events, setEvents] = useState<readonly JobEvent[]>([]);
  const [problem, setProblem] = useState<Problem | null>(null);
  useEffect(() => {
    const abort = new AbortController();
    const all: JobEvent[] = [];
    let timer: ReturnType<typeof setTimeout> | undefined;
    const follow = async () => {
      const onBreak = (error: unknown) => setProblem(error === null ? null : problemOf(error));
      for await (const event of factory.follow(jobId, { signal: abort.signal, onBreak })) {
        all.push(event);
        timer ??= setTimeout(() => {
          timer = undefined;
          setEvents([...all]);
          setProblem(null);
        }, DRAW_MS);
      }
    };
    follow().catch((error: unknown) => setProblem(problemOf(error)));
    return () => {
      abort.abort();
      clearTimeout(timer);
    };
  }, [factory, jobId]);
  return { events, problem };
}
