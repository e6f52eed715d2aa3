/** WAV files that players and browsers take. */

/** What is in one. */
export interface WaveForm {
  readonly rateHz: number;
  readonly channels: number;
  /** 8: unsigned; 16: signed, little-endian. */
  readonly bits: 8 | 16;
}

/** A file of these samples (PCM). */
export function waveFile({ rateHz, channels, bits }: WaveForm, samples: Buffer): Buffer {
  const frameBytes = (channels * bits) / 8;
  const head = Buffer.alloc(44);
  head.write('RIFF', 0);
  head.writeUInt32LE(36 + samples.length, 4);
  head.write('WAVEfmt ', 8);
  head.writeUInt32LE(16, 16);
  head.writeUInt16LE(1, 20);
  head.writeUInt16LE(channels, 22);
  head.writeUInt32LE(rateHz, 24);
  head.writeUInt32LE(rateHz * frameBytes, 28);
  head.writeUInt16LE(frameBytes, 32);
  head.writeUInt16LE(bits, 34);
  head.write('data', 36);
  head.writeUInt32LE(samples.length, 40);
  return Buffer.concat([head, samples]);
}
