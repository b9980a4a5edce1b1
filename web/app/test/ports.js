// Ports for processes that are started, killed and started again at one address.
import { randomInt } from "node:crypto";
import { createServer } from "node:net";

/**
 * Below the ports that the system gives to connections and to those who ask for any free one (Linux: from 32768):
 * what was free stays free between two lives of a process.
 */
const range = { first: 12_000, blocks: 640 };
/** Ports in a block. Its first is listened on by who has the block, for as long as its process lives. */
const blockSize = 32;
/** How many blocks are tried. */
const tries = 50;

/** Free ports, which no other test process is given. @param {number} n @returns {Promise<number[]>} */
export async function freePorts(n) {
  if (n >= blockSize) throw new Error(`${n} ports: a block has ${blockSize - 1}`);
  for (let i = 0; i < tries; i++) {
    const first = range.first + randomInt(range.blocks) * blockSize;
    const lock = await listen(first);
    if (!lock) continue;
    const ports = Array.from({ length: n }, (_, k) => first + 1 + k);
    const probes = await Promise.all(ports.map(listen));
    await Promise.all(probes.map((s) => s && new Promise((done) => s.close(done))));
    if (probes.every(Boolean)) {
      lock.unref(); // it ends with the process, and keeps none alive
      return ports;
    }
    lock.close();
  }
  throw new Error(`no ${n} free ports in ${tries} blocks of ${blockSize} from ${range.first}`);
}

/** A server on a port, or null when somebody else has it. @param {number} port @returns {Promise<import("node:net").Server | null>} */
function listen(port) {
  return new Promise((done) => {
    const s = createServer().once("error", () => done(null));
    s.listen(port, "127.0.0.1", () => done(s));
  });
}
