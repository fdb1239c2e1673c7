const firstWeights = [3, 7, 6, 1, 8, 9, 4, 5, 2];
const secondWeights = [5, 4, 3, 2, 7, 6, 5, 4, 3, 2];

/**
 * Tells whether `pid` is a synthetic national identity number or D-number: eleven digits, the month 80 too high (the
 * test series that no real person is in), a day that exists, and both mod-11 check digits right.
 */
export function isSyntheticPid(pid: string): boolean {
  if (!/^\d{11}$/.test(pid)) return false;
  const digits = Array.from(pid, Number);
  const first = checkDigit(digits, firstWeights);
  const second = checkDigit(digits, secondWeights);
  return isTestDate(pid) && first === digits[9] && second === digits[10];
}

function isTestDate(pid: string): boolean {
  const day = Number(pid.slice(0, 2));
  const month = Number(pid.slice(2, 4)) - 80;
  // D-numbers add 40 to the day.
  const realDay = day > 40 ? day - 40 : day;
  const daysIn = [31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31][month - 1];
  return daysIn !== undefined && realDay >= 1 && realDay <= daysIn;
}

/** 10 means that no such number is handed out; it equals no digit. */
function checkDigit(digits: readonly number[], weights: readonly number[]): number {
  const sum = weights.reduce((total, weight, index) => total + weight * (digits[index] ?? 0), 0);
  return (11 - (sum % 11)) % 11;
}
