// From the lines of a run to the messages that are drawn: a question and its answer are two.

import type { Lane, Line } from "../engine/types.ts";
import { text } from "../text.ts";

export const LANES = ["issuer", "client", "resource", "signals"] as const;
export type LaneName = (typeof LANES)[number];
export type Tone = "neutral" | "grant" | "challenge" | "block" | "signal" | "change";

export interface Message {
  /** Position among all messages. */
  index: number;
  line: Line;
  from: LaneName;
  /** The same as `from` for something that happens in one place. */
  to: LaneName;
  label: string;
  detail: string;
  tone: Tone;
}

export const laneOf = ({ role }: Lane): LaneName => {
  switch (role) {
    case "issuer":
    case "administrator":
      return "issuer";
    case "client":
    case "user":
      return "client";
    case "transmitter":
      return "signals";
    case "resource":
      return "resource";
  }
};

type Half = Omit<Message, "index" | "line">;

export function messagesOf(lines: Line[]): Message[] {
  return lines
    .flatMap((line) => halves(line).map((half) => ({ ...half, line })))
    .map((message, index) => ({ ...message, index }));
}

function halves(line: Line): Half[] {
  const words = text.conversation.message;
  const [from, to] = [laneOf(line.from), laneOf(line.to)];
  const happens = (tone: Tone, place: LaneName = from): Half[] => [
    { from: place, to: place, label: words.kind[line.kind], detail: line.summary, tone },
  ];
  switch (line.kind) {
    case "signIn":
    case "clientRetry": {
      if (line.issuerAnswer === undefined) return happens("neutral");
      const { result = "", lifetimeSeconds, code } = line.issuerAnswer;
      const ask = line.kind === "signIn" ? words.asksForToken : words.takesChallengeBack;
      const answer: Half =
        line.token === undefined
          ? {
              from: to,
              to: from,
              label: words.refused(result),
              detail: code ?? "",
              tone: result === "block" ? "block" : "challenge",
            }
          : { from: to, to: from, label: words.token(lifetimeSeconds ?? 0), detail: "", tone: "grant" };
      return [{ from, to, label: ask, detail: line.summary, tone: "neutral" }, answer];
    }
    case "request": {
      const evaluation = line.evaluation;
      const tone =
        evaluation?.decision === "allow" ? "grant" : evaluation?.decision === "challenge" ? "challenge" : "block";
      const reasons = (evaluation?.reasons ?? [])
        .map((reason) => String(reason["code"] ?? ""))
        .filter(Boolean)
        .join(", ");
      return [
        {
          from,
          to,
          label: line.token === undefined ? words.requestWithoutToken : words.request,
          detail: line.summary,
          tone: "neutral",
        },
        {
          from: to,
          to: from,
          label: words.answer(evaluation?.status ?? 0, evaluation?.decision ?? ""),
          detail: reasons,
          tone,
        },
      ];
    }
    case "event":
      return happens("signal");
    case "delivery":
      return [{ from, to, label: words.arrives, detail: line.summary, tone: "signal" }];
    case "networkChange":
      return happens("change", "client");
    case "accountChange":
      return happens("change", "issuer");
    case "policyChange":
    case "stateClear":
    case "keyRotation":
    case "advance":
      return happens("change", to);
  }
}
