import { signal } from "@preact/signals";
import type { ComponentType } from "preact";
import { useEffect } from "preact/hooks";
import { here, openConflicts, unreachable } from "../live/members.ts";
import { Failed, Trouble } from "../parts/trouble.tsx";
import "./green.ts";
import { Header } from "./header.tsx";
import { ChaosStrip } from "./heal.tsx";
import { Login } from "./login.tsx";
import { Palette } from "./palette.tsx";
import { route, screens, to, type Screen } from "./route.ts";

/** Each screen is loaded when somebody goes there. */
const loaders: Record<Screen, () => Promise<{ default: ComponentType }>> = {
  cluster: () => import("../cluster/screen.tsx"),
  divergence: () => import("../divergence/screen.tsx"),
  conflicts: () => import("../conflicts/screen.tsx"),
  resolvers: () => import("../resolvers/screen.tsx"),
  chaos: () => import("../chaos/screen.tsx"),
  data: () => import("../data/screen.tsx"),
  metrics: () => import("../metrics/screen.tsx"),
  settings: () => import("../settings/screen.tsx"),
  tour: () => import("../tour/screen.tsx"),
};

const loaded = signal<Partial<Record<Screen, ComponentType>>>({});
const failed = signal<unknown>(null);

/** pauses are how long a screen that did not come is waited for before it is asked for again, in milliseconds: a browser breaks off all it loads when the machine changes its network. */
const pauses = [300, 1_500];

async function load(screen: Screen, failures = 0): Promise<void> {
  if (loaded.value[screen]) return;
  try {
    const { default: component } = await loaders[screen]();
    loaded.value = { ...loaded.value, [screen]: component };
    failed.value = null;
  } catch (error) {
    const pause = pauses[failures];
    if (pause !== undefined) return void setTimeout(() => void load(screen, failures + 1), pause);
    failed.value = error; // the node that serves the page is down, or serves another build
  }
}

/** fetchRest has the other screens at hand before the node that serves them may be gone. */
function fetchRest(): void {
  for (const load of Object.values(loaders)) load().catch(() => {}); // it is asked for again when somebody goes there
}
/** The first screen is to be drawn first; the others come after this time, in milliseconds. */
const restAfter = 1_000;

/** Page is the frame around every screen. */
export function Page() {
  const { screen } = route.value;
  useEffect(() => {
    void load(screen);
    document.title = `${screens.find((s) => s.name === screen)?.title} · Syncline`;
  }, [screen]);
  useEffect(() => {
    const timer = setTimeout(fetchRest, restAfter);
    return () => clearTimeout(timer);
  }, []);
  const Shown = loaded.value[screen];
  return (
    <>
      <a class="skip" href="#main" onClick={skip}>
        Skip to the screen
      </a>
      <Header />
      <ChaosStrip />
      <div class="body">
        <Menu />
        <main id="main" tabIndex={-1}>
          <Login />
          {unreachable.value && (
            <Trouble what="This node does not answer" cause={`${here}: ${unreachable.value}`} remedy="Start it, or open the page of another node. The page goes on trying." />
          )}
          {Shown ? <Shown /> : failed.value ? <Failed error={failed.value} retry={() => void load(screen)} /> : <p class="muted">loading …</p>}
        </main>
      </div>
      <Palette />
    </>
  );
}

function skip(e: Event): void {
  e.preventDefault(); // the address behind # is the place in the page
  document.getElementById("main")?.focus();
}

function Menu() {
  const n = openConflicts.value.count;
  return (
    <nav class="menu" aria-label="Screens">
      {screens.map((s) => (
        <a href={to(s.name)} aria-current={route.value.screen === s.name ? "page" : undefined}>
          {s.title}
          {s.name === "conflicts" && n !== null && n > 0 && <span class="badge">{n}</span>}
        </a>
      ))}
    </nav>
  );
}
