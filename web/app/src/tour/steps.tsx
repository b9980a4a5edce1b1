import { healCalls, healCommand } from "../frame/heal.tsx";
import { told, type Member } from "../live/members.ts";
import { span } from "../parts/time.tsx";
import { Trouble } from "../parts/trouble.tsx";
import { cutBetween, landing } from "./account.ts";
import * as acts from "./acts.ts";
import { story } from "./kept.ts";
import { left, start, takes, type Stage } from "./stage.ts";
import { Do, Step } from "./step.tsx";

interface Of {
  at: Stage;
  a: Member;
  b: Member;
}

/** Before are the steps until the link is healed. */
export function Before({ at, a, b }: Of) {
  return (
    <>
      <Step name="open" at={at} title={`Alice has ${start}`} past={<p>{`Written at ${a.name}, read at ${b.name}: ${start} on both.`}</p>}>
        <p>
          The tour has a collection of its own, <code>tour</code>, and takes nothing from anybody. Its policy is <code>manual</code>: a conflict stays open until somebody decides, and
          meanwhile the newest version is shown. With the rule <code>sum</code> each version says by how much it changed the balance.
        </p>
        <Do
          stage="open"
          label={`Put ${start} on the account`}
          busy={`writing at ${a.name}, waiting for ${b.name}`}
          calls={acts.openCalls([a, b])}
          command={acts.openCommand([a, b])}
          work={acts.open}
        />
      </Step>
      <CutStep at={at} a={a} b={b} />
      <VoteStep at={at} a={a} b={b} />
      <RefuseStep at={at} a={a} b={b} />
      <HealStep at={at} a={a} b={b} />
    </>
  );
}

function CutStep({ at, a, b }: Of) {
  const stray = cutBetween(a, b) !== null && !story.value.cutAt;
  return (
    <Step
      name="cut"
      at={at}
      title="Cut the link, and write on both sides"
      past={
        <p>
          {story.value.missed ? `One of the two writes was refused: ${story.value.missed}` : `Both were taken: ${left[0]} is left at ${a.name}, ${left[1]} at ${b.name}. Neither has seen the other's write.`}
        </p>
      }
    >
      <p>
        Both nodes still reach the witness. In the moment before anybody notices the cut, the tour takes {takes[0]} at {a.name}, and at once {takes[1]} at {b.name}. This is the trap.
      </p>
      <Do
        stage="cut"
        label="Cut the link"
        busy="cutting on both ends, then two writes"
        calls={acts.cutCalls([a, b])}
        command={acts.cutCommand([a, b])}
        work={acts.cut}
        disabled={stray ? "the link is cut already, by somebody else: heal it first" : ""}
      />
    </Step>
  );
}

function VoteStep({ at, a, b }: Of) {
  const { writes, refuses, cutAt, landedAt } = story.value;
  const took = cutAt && landedAt ? `, ${span(landedAt - cutAt)} after the cut` : "";
  return (
    <Step
      name="vote"
      at={at}
      title="The lease runs out, and the vote lands on one side"
      past={
        writes ? (
          <p>
            {writes} keeps the witness's vote: 2 of 3, and takes writes all the time. {refuses} has 1 of 3 and is read-only{took}.
          </p>
        ) : undefined
      }
    >
      <p role="status">
        Each node was lent the vote of the other, and of the witness, for the time of a lease. {a.name} and {b.name} cannot renew each other's; the witness renews one side's only. Watch the rings drain:{" "}
        {[a, b].map((m) => `${m.name} has ${told(m)?.node?.write.votes.have ?? "an unknown number"} of 3`).join(", ")}.
      </p>
    </Step>
  );
}

function RefuseStep({ at }: Of) {
  const where = landing();
  const { refused, refuses, majority } = story.value;
  const said = refused && (
    <>
      <p>
        {refuses} refused it at once: <strong>{refused}</strong>, and nothing was applied. Its answer names the node that takes writes, in <code>writable_nodes</code>.
      </p>
      <p>
        No split brain from here on. The write in the moment before is why conflicts are handled; <code>ack=majority</code> closes even that.
        {majority.startsWith("501") && " This build does not have it yet: it answered 501 not_built, and wrote nothing."}
      </p>
    </>
  );
  return (
    <Step name="refuse" at={at} title="A third write, at the side without a majority" past={said || undefined}>
      {where && (
        <>
          <p>
            {where.writes.name} takes writes, {where.refuses.name} does not. What does it say to a write?
          </p>
          <Do
            stage="refuse"
            label={`Take 10 more at ${where.refuses.name}`}
            busy={`writing at ${where.refuses.name}`}
            calls={acts.refuseCalls(where.refuses)}
            command={acts.refuseCommand(where.refuses)}
            work={acts.refuse}
          />
        </>
      )}
    </Step>
  );
}

function HealStep({ at, a, b }: Of) {
  const where = landing();
  const { missed, majority } = story.value;
  return (
    <Step name="heal" at={at} title="Heal" past={<p>The link is whole again, on both ends.</p>}>
      {missed ? (
        <Trouble what="The moment was missed" cause={missed} remedy={`Heal, and cut again: both writes have to come within about a second, before ${a.name} or ${b.name} notices.`} />
      ) : (
        <p>Two versions of one account exist now, one on each side, and both were acknowledged. Nothing of them may be lost.</p>
      )}
      <Do stage="heal" label="Heal" busy="ending all faults" calls={healCalls()} command={healCommand()} work={() => acts.heal(healCalls())} />
      {where && !majority && (
        <Do
          stage="refuse"
          label="And with ack=majority?"
          busy={`asking ${where.writes.name} for a write that a majority has`}
          calls={acts.majorityCalls(where.writes)}
          command=""
          work={acts.askMajority}
          quiet
        />
      )}
    </Step>
  );
}
