import { expect, test } from "vitest";
import { LANE_MAX_BYTES, LANE_MAX_CALLS } from "../../../shared/kernel/limits.ts";
import { Lane } from "./lane.ts";

/** Works that begin when the lane lets them, and end when the test says. */
function works(lane: Lane) {
  const begun: number[] = [];
  const ends: (() => void)[] = [];
  const start = (index: number, bytes: number) =>
    lane.run(bytes, () => {
      begun.push(index);
      return new Promise<void>((resolve) => {
        ends[index] = resolve;
      });
    });
  return { begun, start, end: (index: number) => ends[index]?.() };
}
const settle = () => new Promise((resolve) => setImmediate(resolve));

test("so many calls are under way at once, the rest follow in their order", async () => {
  const { begun, start, end } = works(new Lane());
  for (let i = 0; i < LANE_MAX_CALLS + 2; i++) void start(i, 1);
  await settle();
  expect(begun).toHaveLength(LANE_MAX_CALLS);
  end(3);
  await settle();
  expect(begun.slice(LANE_MAX_CALLS)).toEqual([LANE_MAX_CALLS]);
  end(0);
  await settle();
  expect(begun.at(-1)).toBe(LANE_MAX_CALLS + 1);
});

test("so many bytes are under way at once, and a small one does not overtake a large one", async () => {
  const { begun, start, end } = works(new Lane());
  void start(0, LANE_MAX_BYTES);
  void start(1, LANE_MAX_BYTES);
  void start(2, 1);
  await settle();
  expect(begun).toEqual([0]);
  end(0);
  await settle();
  expect(begun).toEqual([0, 1]);
  end(1);
  await settle();
  expect(begun).toEqual([0, 1, 2]);
});

test("one that is larger than all the room goes alone", async () => {
  const { begun, start } = works(new Lane());
  void start(0, LANE_MAX_BYTES * 2);
  void start(1, 1);
  await settle();
  expect(begun).toEqual([0]);
});

test("work that fails gives its room back", async () => {
  const lane = new Lane();
  await expect(lane.run(LANE_MAX_BYTES, () => Promise.reject(new Error("failed")))).rejects.toThrow("failed");
  expect(await lane.run(LANE_MAX_BYTES, async () => "done")).toBe("done");
});
