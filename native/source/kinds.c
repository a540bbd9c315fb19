/* The updates of the kinds of instruments. */

#include "core.h"

#include <math.h>
#include <string.h>

#define MAX_MAGNITUDE 1e290 /* as in validation.py */
#define EXACT_INTEGERS 9007199254740992.0 /* up to here, each int is a double */

/* Compare an int, which is the limit as a double, with the limit: Python compares its digits. */
static int
rounds_up_to_limit(PyObject *value, double limit)
{
    PyObject *largest = PyFloat_FromDouble(limit);
    int does = largest != NULL
        && PyObject_RichCompareBool(value, largest, limit > 0 ? Py_LT : Py_GT) == 1;
    Py_XDECREF(largest);
    PyErr_Clear();
    return does;
}

static int
is_finite(PyObject *value, double number)
{
    if (fabs(number) == MAX_MAGNITUDE) {
        return PyLong_CheckExact(value) && rounds_up_to_limit(value, number);
    }
    return fabs(number) < MAX_MAGNITUDE;
}

/* Offer an exemplar to a series, after its update. */
static int
offer_exemplar(CellState *cell, PyObject *bucket, PyObject *value)
{
    PyObject *object = Py_NewRef((PyObject *)cell);
    PyObject *done = bucket == NULL
        ? PyObject_CallMethod(object, "offer_exemplar", "O", value)
        : PyObject_CallMethod(object, "offer_exemplar", "OO", bucket, value);
    Py_DECREF(object);
    Py_XDECREF(done);
    return done == NULL ? -1 : 1;
}

static int
has_live_span(CellState *cell)
{
    return cell->spans != NULL && cell->spans->live;
}

static int
add(CellState *cell, double amount)
{
    lock(&cell->lock);
    int writable = cell->writable;
    if (writable) {
        cell->doubles[0] += amount;
    }
    unlock(&cell->lock);
    return writable;
}

static int
record_counter(CellState *cell, PyObject *value, double amount)
{
    if (!(0 <= amount && is_finite(value, amount)) || !add(cell, amount)) {
        return 0;
    }
    return has_live_span(cell) ? offer_exemplar(cell, NULL, value) : 1;
}

static int
record_up_down_counter(CellState *cell, PyObject *value, double amount)
{
    return is_finite(value, amount) && add(cell, amount);
}

static int
record_gauge(CellState *cell, PyObject *value, double number)
{
    if (!is_finite(value, number)) {
        return 0;
    }
    PyObject *now = PyObject_CallMethod(core.time, "time", NULL);
    double seconds = now == NULL ? -1.0 : PyFloat_AsDouble(now);
    Py_XDECREF(now);
    if (PyErr_Occurred()) {
        return -1;
    }
    lock(&cell->lock);
    int writable = cell->writable && cell->width > 1;
    if (writable) {
        cell->doubles[0] = number;
        cell->doubles[1] = seconds;
    }
    unlock(&cell->lock);
    return writable;
}

/* Return the index of the first bound at or above a number, as `bisect_left` does. */
static Py_ssize_t
find_bucket(const Bounds *bounds, double number)
{
    Py_ssize_t low = 0, high = bounds->count;
    while (low < high) {
        Py_ssize_t middle = (low + high) / 2;
        if (bounds->values[middle] < number) {
            low = middle + 1;
        }
        else {
            high = middle;
        }
    }
    return low;
}

/* The same for an int that no double equals: Python compares its digits. Returns -1 for an error. */
static Py_ssize_t
find_bucket_of_int(const Bounds *bounds, PyObject *value)
{
    Py_ssize_t bucket = 0;
    for (; bucket < bounds->count; bucket++) {
        int is_below = PyObject_RichCompareBool(PyTuple_GetItem(bounds->given, bucket), value, Py_LT);
        if (is_below <= 0) {
            return is_below < 0 ? -1 : bucket;
        }
    }
    return bucket;
}

static int
offer_bucket_exemplar(CellState *cell, Py_ssize_t bucket, PyObject *value)
{
    PyObject *index = PyLong_FromSsize_t(bucket);
    int done = index == NULL ? -1 : offer_exemplar(cell, index, value);
    Py_XDECREF(index);
    return done;
}

static int
record_histogram(CellState *cell, PyObject *value, double number)
{
    Bounds *bounds = cell->bounds;
    if (!is_finite(value, number) || bounds == NULL) {
        return 0;
    }
    int is_exact = fabs(number) < EXACT_INTEGERS || PyFloat_CheckExact(value);
    Py_ssize_t bucket = is_exact ? find_bucket(bounds, number) : find_bucket_of_int(bounds, value);
    if (bucket < 0) {
        return -1;
    }
    lock(&cell->lock);
    int writable = cell->writable && bucket < cell->width - 1;
    if (writable) {
        cell->doubles[bucket] += 1.0;
        cell->doubles[cell->width - 1] += number;
    }
    unlock(&cell->lock);
    return writable && has_live_span(cell) ? offer_bucket_exemplar(cell, bucket, value) : writable;
}

static const Kind kinds[] = {
    {"counter", record_counter},
    {"updowncounter", record_up_down_counter},
    {"gauge", record_gauge},
    {"histogram", record_histogram},
    {NULL, NULL},
};

const Kind *
find_kind(const char *name)
{
    for (const Kind *kind = kinds; kind->name != NULL; kind++) {
        if (strcmp(kind->name, name) == 0) {
            return kind;
        }
    }
    PyErr_Format(PyExc_ValueError, "no kind of instrument is %s", name);
    return NULL;
}

/* Record a value of any type, which `convert` makes a float. Returns what `Kind.record` does. */
int
record_any(const Kind *kind, CellState *cell, PyObject *value, PyObject *convert)
{
    double number;
    if (plain_number(value, &number)) {
        return kind->record(cell, value, number);
    }
    PyObject *converted;
    int done = convert_number(convert, value, &converted, &number);
    if (done == 1) {
        done = kind->record(cell, converted, number);
        Py_DECREF(converted);
    }
    return done;
}
