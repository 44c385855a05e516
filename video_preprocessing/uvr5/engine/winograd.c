/* Convolutions of 3x3 by minimal filtering, F(6x6, 3x3): Lavin & Gray, "Fast Algorithms for Convolutional Neural
 * Networks" (2016), with the interpolation points 0, +-1, +-2, +-1/2 and infinity.
 *
 * An output tile of 6x6 needs an input tile of 8x8. Both, and the filters, are transformed to 64 numbers a channel;
 * between channels what is left are 64 small matrix products: 64 multiplications where the plain way needs 324.
 *
 * Images lie channels-last (rows, columns, channels), float32. The lanes of a vector are channels, so that transforms
 * need no shuffling. winograd.py builds this file, and says what the arguments are.
 */

#include <stdint.h>
#include <string.h>
#if defined(__AVX512F__)
#include <immintrin.h>
#endif

#if defined(__AVX512F__)
#define LANES 16
#define WIDEST 4
static const int HEIGHT[WIDEST] = {12, 12, 8, 6};
#elif defined(__AVX2__) || defined(__AVX__)
#define LANES 8
#define WIDEST 3
static const int HEIGHT[WIDEST] = {8, 6, 4};
#else
#define LANES 4
#define WIDEST 4
static const int HEIGHT[WIDEST] = {12, 12, 8, 6};
#endif

typedef float vector __attribute__((vector_size(4 * LANES), aligned(4 * LANES)));
typedef int32_t mask __attribute__((vector_size(4 * LANES), aligned(4 * LANES)));
typedef float loose __attribute__((vector_size(4 * LANES), aligned(4), may_alias));

#define POINTS 64 /* of a transformed tile */
#define INLINE static inline __attribute__((always_inline))

typedef struct {
    const float *data;
    int64_t row, column; /* floats from one row, and one column, to the next */
    int32_t channels;
    int32_t doubled; /* 1: half of the size; to be enlarged by bilinear interpolation, corners aligned */
} Source;

typedef struct {
    Source sources[2]; /* joined along their channels; the second may have none */
    int32_t height, width;
    int32_t step_y, step_x; /* of the filter's taps: its dilation */
    const int32_t *tiles;   /* row and column of the first output of each */
    const float *filters;   /* transformed: [panel][point][channel][output of the panel], or NULL */
    const float *taps;      /* if NULL: as they are, [channel][tap][output], to be transformed at every use */
    int32_t panel;          /* vectors of outputs that are multiplied at once */
    const float *bias;      /* of all outputs, filled up to whole vectors */
    float slope;            /* of the negative side: 0 is ReLU, 1 is nothing */
    float *out;
    int64_t out_row, out_column;
    int32_t outputs;
    const int32_t *above; /* of a doubled source: the rows and columns before each of the enlarged one's, and */
    const int32_t *before;
    const float *lower; /* the weight of the next ones */
    const float *after;
    int32_t block_tiles, block_channels; /* worked on at once; tiles in multiples of 24, all of HEIGHT */
} Convolution;

int winograd_lanes(void) { return LANES; }
int winograd_widest(void) { return WIDEST; }
int winograd_struct_size(void) { return (int)sizeof(Convolution); }

INLINE vector load(const float *from) { return (vector) * (const loose *)from; }
INLINE void store(float *to, vector v) { *(loose *)to = (loose)v; }

/* A vector of which `count` lanes are wanted; the others may hold anything. `last` is the last place that a whole one
 * can be read from. */
INLINE vector load_some(const float *from, const float *last, int count)
{
    if (from <= last)
        return load(from);
    vector v = {0};
    memcpy(&v, from, sizeof(float) * (size_t)count);
    return v;
}

INLINE void store_some(float *to, vector v, int count)
{
#if LANES == 16
    _mm512_mask_storeu_ps(to, (__mmask16)((1u << count) - 1), (__m512)v);
#else
    memcpy(to, &v, sizeof(float) * (size_t)count);
#endif
}

/* Where the last whole vector of an image begins. */
INLINE const float *last_vector(const Source *s, int height, int width)
{
    return s->data + (height - 1) * s->row + (width - 1) * s->column + s->channels - LANES;
}

/* Eight values along one axis to eight transformed ones. */
INLINE void transform_input(const vector *d, vector *o)
{
    o[0] = d[0] - d[6] + (d[4] - d[2]) * 5.25f;
    o[7] = d[7] - d[1] + (d[3] - d[5]) * 5.25f;
    vector even = d[2] + d[6] - d[4] * 4.25f, odd = d[1] + d[5] - d[3] * 4.25f;
    o[1] = even + odd;
    o[2] = even - odd;
    even = d[6] + d[2] * 0.25f - d[4] * 1.25f, odd = d[1] * 0.5f - d[3] * 2.5f + d[5] * 2.0f;
    o[3] = even + odd;
    o[4] = even - odd;
    even = d[6] + (d[2] - d[4] * 1.25f) * 4.0f, odd = d[1] * 2.0f - d[3] * 2.5f + d[5] * 0.5f;
    o[5] = even + odd;
    o[6] = even - odd;
}

/* Eight transformed values to six. */
INLINE void transform_output(const vector *m, vector *o)
{
    vector s12 = m[1] + m[2], d12 = m[1] - m[2], s34 = m[3] + m[4], d34 = m[3] - m[4], s56 = m[5] + m[6], d56 = m[5] - m[6];
    o[0] = m[0] + s12 + s34 + s56 * 32.0f;
    o[1] = d12 + d34 * 2.0f + d56 * 16.0f;
    o[2] = s12 + s34 * 4.0f + s56 * 8.0f;
    o[3] = d12 + d34 * 8.0f + d56 * 4.0f;
    o[4] = s12 + s34 * 16.0f + s56 * 2.0f;
    o[5] = m[7] + d12 + d34 * 32.0f + d56;
}

/* Three taps to eight. */
INLINE void transform_filter(vector g0, vector g1, vector g2, vector *o)
{
    o[0] = g0;
    vector even = (g0 + g2) * (-2.0f / 9), odd = g1 * (-2.0f / 9);
    o[1] = even + odd;
    o[2] = even - odd;
    even = g0 * (1.0f / 90) + g2 * (2.0f / 45), odd = g1 * (1.0f / 45);
    o[3] = even + odd;
    o[4] = even - odd;
    even = g0 * (1.0f / 45) + g2 * (1.0f / 180), odd = g1 * (1.0f / 90);
    o[5] = even + odd;
    o[6] = even - odd;
    o[7] = g2;
}

/* Eight inputs down a column, and where they lie: rows outside of the image are read from zeros. */
typedef struct {
    const float *rows[8];
    int64_t columns[8]; /* floats from one column to the next in each row; 0 among the zeros */
} Rows;

static const float ZEROS[LANES];

/* The first transform, down the columns, of `count` channels from `channel` on of the tile at (y, x). */
INLINE void columns_plain(const Convolution *c, const Source *s, int channel, int count, int y, int x, vector half[8][8])
{
    const float *last = last_vector(s, c->height, c->width);
    Rows r;
    for (int i = 0; i < 8; i++) {
        int row = y + (i - 1) * c->step_y;
        int is_inside = row >= 0 && row < c->height;
        r.rows[i] = is_inside ? s->data + row * s->row + channel : ZEROS;
        r.columns[i] = is_inside ? s->column : 0;
    }
    /* Only the last pixels of an image have less than a vector after them. */
    int is_last = y + 6 * c->step_y >= c->height - 1;
    for (int j = 0; j < 8; j++) {
        int column = x + (j - 1) * c->step_x;
        vector d[8], o[8];
        if (column < 0 || column >= c->width) {
            for (int i = 0; i < 8; i++)
                half[i][j] = (vector){0};
            continue;
        }
        if (is_last)
            for (int i = 0; i < 8; i++)
                d[i] = r.columns[i] ? load_some(r.rows[i] + column * r.columns[i], last, count) : (vector){0};
        else
            for (int i = 0; i < 8; i++)
                d[i] = load(r.rows[i] + column * r.columns[i]);
        transform_input(d, o);
        for (int i = 0; i < 8; i++)
            half[i][j] = o[i];
    }
}

/* The same of a source of half the size, enlarged on the way. */
INLINE void columns_doubled(const Convolution *c, const Source *s, int channel, int count, int y, int x,
                            vector half[8][8])
{
    int bottom = c->height / 2 - 1, right = c->width / 2 - 1;
    const float *last = last_vector(s, bottom + 1, right + 1);
    int first_row = y > 0 ? y - 1 : 0, last_row = y + 6 < c->height ? y + 6 : c->height - 1;
    int first = c->above[first_row], final = c->above[last_row] < bottom ? c->above[last_row] + 1 : bottom;
    int one[8], two[8];
    float weight[8];
    for (int i = 0; i < 8; i++) {
        int row = y + i - 1, is_inside = row >= 0 && row < c->height;
        one[i] = is_inside ? c->above[row] - first : 7; /* the last of `wide` is zero */
        two[i] = is_inside ? (c->above[row] < bottom ? one[i] + 1 : one[i]) : 7;
        weight[i] = is_inside ? c->lower[row] : 0.0f;
    }
    for (int j = 0; j < 8; j++) {
        int column = x + j - 1;
        if (column < 0 || column >= c->width) {
            for (int i = 0; i < 8; i++)
                half[i][j] = (vector){0};
            continue;
        }
        /* Eight enlarged rows come from at most six. */
        vector wide[8], d[8], o[8];
        int64_t before = c->before[column] * s->column;
        int64_t after = (c->before[column] < right ? c->before[column] + 1 : right) * s->column;
        const float *from = s->data + first * s->row + channel;
        for (int row = first; row <= final; row++, from += s->row) {
            vector a = load_some(from + before, last, count), b = load_some(from + after, last, count);
            wide[row - first] = a + (b - a) * c->after[column];
        }
        wide[7] = (vector){0};
        for (int i = 0; i < 8; i++)
            d[i] = wide[one[i]] + (wide[two[i]] - wide[one[i]]) * weight[i];
        transform_input(d, o);
        for (int i = 0; i < 8; i++)
            half[i][j] = o[i];
    }
}

/* Channels `begin` to `end` of some tiles, transformed: v[point][tile][channel]. */
static void transform_tiles(const Convolution *c, int first, int count, int begin, int end, float *v, int64_t point)
{
    vector half[8][8], row[8];
    for (int t = 0; t < count; t++) {
        int y = c->tiles[2 * (first + t)], x = c->tiles[2 * (first + t) + 1];
        int offset = 0;
        for (int s = 0; s < 2; s++) {
            const Source *source = &c->sources[s];
            int from = begin - offset > 0 ? begin - offset : 0;
            int to = end - offset < source->channels ? end - offset : source->channels;
            for (int channel = from; channel < to; channel += LANES) {
                int lanes = to - channel < LANES ? to - channel : LANES;
                if (source->doubled)
                    columns_doubled(c, source, channel, lanes, y, x, half);
                else
                    columns_plain(c, source, channel, lanes, y, x, half);
                /* The last vector of a source reaches over into what comes next, which is written after it. */
                float *place = v + (int64_t)t * c->block_channels + (channel + offset - begin);
                for (int i = 0; i < 8; i++) {
                    transform_input(half[i], row);
                    for (int j = 0; j < 8; j++)
                        store(place + (8 * i + j) * point, row[j]);
                }
            }
            offset += source->channels;
        }
    }
}

/* Channels `begin` to `end` of the filters of `width` vectors of outputs: u[point][channel][output]. */
static void transform_filters(const Convolution *c, int begin, int end, int vector_begin, int width, float *u,
                              int64_t point)
{
    int64_t row = (int64_t)((c->outputs + LANES - 1) / LANES) * LANES;
    vector half[8][3], whole[8];
    for (int k = begin; k < end; k++) {
        for (int n = 0; n < width; n++) {
            const float *from = c->taps + 9 * k * row + (vector_begin + n) * LANES;
            float *to = u + ((int64_t)(k - begin) * width + n) * LANES;
            for (int j = 0; j < 3; j++) {
                transform_filter(load(from + j * row), load(from + (3 + j) * row), load(from + (6 + j) * row), whole);
                for (int i = 0; i < 8; i++)
                    half[i][j] = whole[i];
            }
            for (int i = 0; i < 8; i++) {
                transform_filter(half[i][0], half[i][1], half[i][2], whole);
                for (int j = 0; j < 8; j++)
                    store(to + (8 * i + j) * point, whole[j]);
            }
        }
    }
}

/* m[tile][output] (+)= v[tile][channel] u[channel][output] for `height` tiles and `width` vectors of outputs. */
INLINE void multiply(const float *v, int64_t v_row, const float *u, int channels, float *m, int64_t m_row, int adds,
                     const int height, const int width)
{
    vector sum[12][WIDEST]; /* only the part in use, and that in registers */
#pragma GCC unroll 12
    for (int t = 0; t < height; t++)
#pragma GCC unroll 4
        for (int n = 0; n < width; n++)
            sum[t][n] = adds ? load(m + t * m_row + n * LANES) : (vector){0};
    for (int k = 0; k < channels; k++) {
        vector right[WIDEST];
#pragma GCC unroll 4
        for (int n = 0; n < width; n++)
            right[n] = load(u + (int64_t)k * width * LANES + n * LANES);
#pragma GCC unroll 12
        for (int t = 0; t < height; t++) {
            float left = v[t * v_row + k];
#pragma GCC unroll 4
            for (int n = 0; n < width; n++)
                sum[t][n] += left * right[n];
        }
    }
#pragma GCC unroll 12
    for (int t = 0; t < height; t++)
#pragma GCC unroll 4
        for (int n = 0; n < width; n++)
            store(m + t * m_row + n * LANES, sum[t][n]);
}

typedef void (*Product)(const float *, int64_t, const float *, int, float *, int64_t, int);
#define PRODUCT(name, height, width)                                                                                   \
    static void name(const float *v, int64_t v_row, const float *u, int channels, float *m, int64_t m_row, int adds)   \
    {                                                                                                                  \
        multiply(v, v_row, u, channels, m, m_row, adds, height, width);                                                \
    }
#if LANES == 8
PRODUCT(product_1, 8, 1)
PRODUCT(product_2, 6, 2)
PRODUCT(product_3, 4, 3)
static const Product PRODUCTS[WIDEST] = {product_1, product_2, product_3};
#else
PRODUCT(product_1, 12, 1)
PRODUCT(product_2, 12, 2)
PRODUCT(product_3, 8, 3)
PRODUCT(product_4, 6, 4)
static const Product PRODUCTS[WIDEST] = {product_1, product_2, product_3, product_4};
#endif

/* Some tiles back from their products m[point][tile][output], with bias and activation. */
static void transform_back(const Convolution *c, int first, int count, int vector_begin, int vector_end, const float *m,
                           int64_t point, int64_t m_row)
{
    vector half[6][8], whole[8], result[6];
    for (int t = 0; t < count; t++) {
        int y = c->tiles[2 * (first + t)], x = c->tiles[2 * (first + t) + 1];
        for (int lane_group = vector_begin; lane_group < vector_end; lane_group++) {
            int n = lane_group * LANES;
            int lanes = c->outputs - n < LANES ? c->outputs - n : LANES;
            const float *from = m + t * m_row + (lane_group - vector_begin) * LANES;
            for (int j = 0; j < 8; j++) {
                for (int i = 0; i < 8; i++)
                    whole[i] = load(from + (8 * i + j) * point);
                transform_output(whole, result);
                for (int i = 0; i < 6; i++)
                    half[i][j] = result[i];
            }
            vector bias = load(c->bias + n);
            for (int i = 0; i < 6; i++) {
                int row = y + i * c->step_y;
                if (row >= c->height)
                    break;
                transform_output(half[i], result);
                for (int j = 0; j < 6; j++) {
                    int column = x + j * c->step_x;
                    if (column >= c->width)
                        break;
                    vector r = result[j] + bias;
                    mask positive = r > 0.0f;
                    r = (vector)((positive & (mask)r) | (~positive & (mask)(r * c->slope)));
                    float *to = c->out + row * c->out_row + column * c->out_column + n;
                    if (lanes == LANES)
                        store(to, r);
                    else
                        store_some(to, r, lanes);
                }
            }
        }
    }
}

/* One vector more, or all points of a tile would fall upon the same few lines of the cache. */
static int64_t v_point(const Convolution *c) { return (int64_t)c->block_tiles * c->block_channels + LANES; }
static int64_t u_point(const Convolution *c) { return (int64_t)c->block_channels * c->panel * LANES + LANES; }
static int64_t m_point(const Convolution *c, int vectors) { return (int64_t)c->block_tiles * vectors * LANES + LANES; }

/* Floats of scratch memory that winograd_run wants for so many vectors of outputs, aligned to a vector. */
int64_t winograd_scratch(const Convolution *c, int vectors)
{
    return POINTS * (v_point(c) + m_point(c, vectors) + (c->filters ? 0 : u_point(c)));
}

/* Tiles `begin` to `end`, and of the outputs the vectors `vector_begin` (which begins a panel) to `vector_end`. */
static void run(const Convolution *c, int begin, int end, int vector_begin, int vector_end, float *scratch)
{
    int channels = c->sources[0].channels + c->sources[1].channels;
    int64_t m_row = (int64_t)(vector_end - vector_begin) * LANES, u_step = c->filters ? 0 : u_point(c);
    int64_t v_step = v_point(c), m_step = m_point(c, vector_end - vector_begin);
    float *v = scratch, *m = v + POINTS * v_step, *own = m + POINTS * m_step;
    for (int first = begin; first < end; first += c->block_tiles) {
        int count = end - first < c->block_tiles ? end - first : c->block_tiles;
        for (int k = 0; k < channels; k += c->block_channels) {
            int some = channels - k < c->block_channels ? channels - k : c->block_channels;
            transform_tiles(c, first, count, k, k + some, v, v_step);
            for (int n = vector_begin; n < vector_end; n += c->panel) {
                int width = vector_end - n < c->panel ? vector_end - n : c->panel;
                const float *u = own;
                int64_t step = u_step;
                if (c->filters) {
                    step = (int64_t)channels * width * LANES;
                    u = c->filters + (int64_t)POINTS * channels * n * LANES + (int64_t)k * width * LANES;
                } else {
                    transform_filters(c, k, k + some, n, width, own, step);
                }
                for (int p = 0; p < POINTS; p++) {
                    float *to = m + p * m_step + (n - vector_begin) * LANES;
                    /* Whole steps: rows beyond the last tile hold what they held, and nobody reads their products. */
                    for (int t = 0; t < count; t += HEIGHT[width - 1])
                        PRODUCTS[width - 1](v + p * v_step + (int64_t)t * c->block_channels, c->block_channels,
                                            u + p * step, some, to + t * m_row, m_row, k > 0);
                }
            }
        }
        transform_back(c, first, count, vector_begin, vector_end, m, m_step, m_row);
    }
}

typedef struct {
    const Convolution *convolution;
    const int32_t *shares; /* tile begin, tile end, vector begin, vector end of each */
    int32_t count;
    int32_t next, workers; /* 0 at first */
    float *scratch;        /* of all workers, one after the other */
    int64_t scratch_size;  /* floats of each */
} Job;

int winograd_job_size(void) { return (int)sizeof(Job); }

/* What every thread of a team calls with the same job; the job is done when all have returned. */
void winograd_work(Job *job)
{
    int worker = __atomic_fetch_add(&job->workers, 1, __ATOMIC_RELAXED);
    for (;;) {
        int next = __atomic_fetch_add(&job->next, 1, __ATOMIC_RELAXED);
        if (next >= job->count)
            return;
        const int32_t *share = job->shares + 4 * next;
        run(job->convolution, share[0], share[1], share[2], share[3], job->scratch + worker * job->scratch_size);
    }
}
