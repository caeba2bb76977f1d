/*
 * Times speexdsp's resampler on frames of 20 ms of 16-bit noise, as a media server would call it.
 * speexdsp-resampler FROM_HZ TO_HZ QUALITY FRAMES prints nanoseconds per frame.
 */
#include <speex/speex_resampler.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static double now_ns(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return 1e9 * (double)time.tv_sec + (double)time.tv_nsec;
}

int main(int count, char **arguments) {
  if (count != 5) return 2;
  unsigned from = (unsigned)atoi(arguments[1]), to = (unsigned)atoi(arguments[2]);
  int frames = atoi(arguments[4]), error = 0;
  SpeexResamplerState *state = speex_resampler_init(1, from, to, atoi(arguments[3]), &error);
  spx_int16_t *source = malloc(sizeof *source * (from / 50));
  spx_int16_t *target = malloc(sizeof *target * (to / 50 + 8));
  unsigned seed = 1;
  if (state == NULL || source == NULL || target == NULL) return 1;
  for (unsigned i = 0; i < from / 50; i++) {
    seed = seed * 1664525u + 1013904223u;
    source[i] = (spx_int16_t)((int)(seed >> 17) - 16384);
  }
  double started = 0;
  for (int frame = -frames / 5; frame < frames; frame++) {
    if (frame == 0) started = now_ns();
    spx_uint32_t taken = from / 50, made = to / 50 + 8;
    speex_resampler_process_int(state, 0, source, &taken, target, &made);
    if (taken != from / 50) return 1;
  }
  printf("%.1f\n", (now_ns() - started) / frames);
  return 0;
}
