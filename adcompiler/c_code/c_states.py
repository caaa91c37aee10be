"""The functions in C that say which states of a loop are kept, as `runtime/helpers.py` has them."""

STATES = {
    "ad_slots_within": """\
/* How many states of this size, in bytes, there is room for, of those that there are; 0 for no room. */
static int64_t ad_slots_within(int64_t memory, int64_t state, int64_t most)
{
    int64_t room = state == 0 ? most : memory / state;
    if (memory < state) {
        return 0;
    }
    room = room < most ? room : most;
    return room > 1 ? room : 1;
}
""",
    "ad_next_checkpoint": """\
/* Where to keep the next state if one is kept at start and all before stop is to be reversed: stop where
 * there is no room for a state, or no need of one (Griewank and Walther 2000). */
static int64_t ad_next_checkpoint(int64_t start, int64_t stop, int64_t room)
{
    int64_t steps = stop - start, slots = room + 1, runs = 0, reach = 1, beyond, least, step;
    if (room < 1 || steps < 2) {
        return stop;
    }
    while (reach < steps) { /* slots allow that many steps if none is run more often than that */
        runs++;
        reach = reach * (slots + runs) / runs;
    }
    beyond = reach * slots / (slots + runs);
    least = reach * runs / (slots + runs) * (runs - 1) / (slots + runs - 1);
    step = steps - beyond > least ? steps - beyond : least;
    return start + (step > 1 ? step : 1);
}
""",
    "ad_thinned": """\
/* How often iterations are run again, from a state that is kept of the first. */
static double ad_again(int64_t steps, int64_t slots)
{
    double reach = 1;
    int64_t runs = 0;
    while (reach < steps) {
        runs++;
        reach = reach * (slots + runs) / runs;
    }
    return (double)runs * steps - reach * runs / (slots + 1);
}

/* How many states stay kept to make room for that of now; those give way that save least. */
static int64_t ad_thinned(int64_t *places, int64_t *order, int64_t slots, int64_t kept, int64_t now)
{
    double *saved, fewest = INFINITY, after, later = 0;
    int64_t end = now, left = 1, most = slots / 16 > 1 ? slots / 16 : 1;
    if (kept < slots) {
        return kept;
    }
    saved = malloc(slots * sizeof *saved);
    if (saved == NULL) {
        return slots - 1; /* the last one gives way */
    }
    after = ad_again(now - places[slots - 1], 1);
    for (int64_t k = slots - 1; k > 0; k--) { /* without state k, those after it have one slot more */
        double before = ad_again(places[k] - places[k - 1], slots - k + 1);
        saved[k] = ad_again(end - places[k - 1], slots - k + 1) - before - after + later;
        later += ad_again(end - places[k], slots - k + 1) - after;
        fewest = saved[k] < fewest ? saved[k] : fewest;
        end = places[k];
        after = before;
    }
    for (int64_t k = 1, gives_way = 0; k < slots; k++) {
        gives_way = !gives_way && saved[k] <= fewest && k - left < most;
        if (!gives_way) {
            int64_t slot = order[k];
            places[left] = places[k];
            order[k] = order[left];
            order[left++] = slot;
        }
    }
    free(saved);
    return left;
}
""",
    "ad_next_of_many": """\
/* Where to keep the next state of a loop whose length is not known; -1 for nowhere. */
static int64_t ad_next_of_many(const int64_t *places, int64_t slots, int64_t kept)
{
    int64_t steps = places[kept - 1] + 1, runs = 0;
    double reach = 1;
    while (reach < steps && steps >= slots) {
        runs++;
        reach = reach * (slots + runs) / runs;
    }
    return slots == 1 ? -1 : steps + runs;
}
""",
}
