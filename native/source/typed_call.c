/* The recording function of an instrument: a value, and labels by name.

   A call finds the series by one of two ways, or leaves the call to the reference:

   - by identity: a call site passes the same names each time, and mostly the same text objects. A
     small table knows the series of such calls. It holds the objects, so that no other object has
     their address, and a text never changes;
   - by value: one access of the dictionary of all series, as in Python.

   A series in the table is the one in the dictionary as long as it is writable: what removes a
   series makes it unwritable first. Free-threaded builds have no table, which threads would have
   to share. */

#include "core.h"

#include <stdint.h>

#define TABLE_SIZE 64 /* a power of two */

typedef struct {
    PyObject *names; /* NULL for a call without labels */
    CellState *cell; /* NULL if the row is empty */
    PyObject *values[];
} Row;

typedef struct {
    Front front;
    const Kind *kind;
    PyObject *cells;    /* the dictionary of the series by label values */
    PyObject *labels;   /* the names of the labels in declared order */
    PyObject *defaults; /* their defaults, or None */
    Py_ssize_t label_count;
    char *table; /* NULL before the first recording */
    size_t row_size;
} TypedCall;

/* The arguments of a call after its value. */
typedef struct {
    PyObject *names;
    Py_ssize_t count;
    PyObject *const *values;
} Labels;

/* By identity. */

#ifndef Py_GIL_DISABLED

static Row *
row_of(TypedCall *self, const Labels *labels)
{
    uintptr_t hash = (uintptr_t)labels->count;
    for (Py_ssize_t index = 0; index < labels->count; index++) {
        hash = hash * 31 + ((uintptr_t)labels->values[index] >> 4);
    }
    hash ^= hash >> 12;
    return (Row *)(self->table + (hash ^ hash >> 6) % TABLE_SIZE * self->row_size);
}

/* A call site has one tuple of names, but a call with `**labels` makes a new one. */
static int
has_names(const Row *row, const Labels *labels)
{
    if (row->names == labels->names) {
        return 1;
    }
    if (row->names == NULL || PyTuple_Size(row->names) != labels->count) {
        return 0;
    }
    for (Py_ssize_t index = 0; index < labels->count; index++) {
        if (PyTuple_GetItem(row->names, index) != PyTuple_GetItem(labels->names, index)) {
            return 0;
        }
    }
    return 1;
}

/* Return the series of a call like an earlier one; NULL if there is none, or if it was removed. */
static CellState *
find_by_identity(TypedCall *self, const Labels *labels)
{
    Row *row = self->table == NULL ? NULL : row_of(self, labels);
    if (row == NULL || row->cell == NULL || !row->cell->writable) {
        return NULL;
    }
    for (Py_ssize_t index = 0; index < labels->count; index++) {
        if (row->values[index] != labels->values[index]) {
            return NULL;
        }
    }
    return has_names(row, labels) ? row->cell : NULL;
}

static void
empty_row(Row *row, Py_ssize_t label_count)
{
    Py_CLEAR(row->names);
    Py_CLEAR(row->cell);
    for (Py_ssize_t index = 0; index < label_count; index++) {
        Py_CLEAR(row->values[index]);
    }
}

static void
remember(TypedCall *self, const Labels *labels, CellState *cell)
{
    if (self->table == NULL) {
        self->table = PyMem_Calloc(TABLE_SIZE, self->row_size);
        if (self->table == NULL) {
            return;
        }
    }
    Row *row = row_of(self, labels);
    empty_row(row, self->label_count);
    row->names = Py_XNewRef(labels->names);
    row->cell = (CellState *)Py_NewRef((PyObject *)cell);
    for (Py_ssize_t index = 0; index < labels->count; index++) {
        row->values[index] = Py_NewRef(labels->values[index]);
    }
}

static int
visit_table(TypedCall *self, visitproc visit, void *arg)
{
    for (size_t index = 0; self->table != NULL && index < TABLE_SIZE; index++) {
        Row *row = (Row *)(self->table + index * self->row_size);
        Py_VISIT(row->names);
        Py_VISIT(row->cell);
    }
    return 0;
}

static void
free_table(TypedCall *self)
{
    for (size_t index = 0; self->table != NULL && index < TABLE_SIZE; index++) {
        empty_row((Row *)(self->table + index * self->row_size), self->label_count);
    }
    PyMem_Free(self->table);
}

#else

#define find_by_identity(self, labels) NULL
#define remember(self, labels, cell) ((void)0)
#define visit_table(self, visit, arg) 0
#define free_table(self) ((void)0)

#endif

/* By value. */

/* Return the value of the label with this name; NULL if the call has none. */
static PyObject *
given_value(const Labels *labels, PyObject *name)
{
    for (Py_ssize_t index = 0; index < labels->count; index++) {
        if (PyTuple_GetItem(labels->names, index) == name) {
            return labels->values[index];
        }
    }
    for (Py_ssize_t index = 0; index < labels->count; index++) { /* names that are not interned */
        if (PyUnicode_Compare(PyTuple_GetItem(labels->names, index), name) == 0) {
            return labels->values[index];
        }
    }
    return NULL;
}

/* Return the key of the dictionary; NULL without an exception if Python has to make it: a label is
   unknown or missing, or its value is no plain text, whose hash may run code of the application. */
static PyObject *
make_key(TypedCall *self, const Labels *labels)
{
    PyObject *key = PyTuple_New(self->label_count);
    Py_ssize_t used = 0;
    for (Py_ssize_t index = 0; key != NULL && index < self->label_count; index++) {
        PyObject *value = given_value(labels, PyTuple_GetItem(self->labels, index));
        used += value != NULL;
        if (value == NULL) {
            value = PyTuple_GetItem(self->defaults, index);
        }
        if (PyUnicode_CheckExact(value)) {
            PyTuple_SetItem(key, index, Py_NewRef(value));
        }
        else {
            Py_CLEAR(key);
        }
    }
    if (used < labels->count) {
        Py_CLEAR(key);
    }
    return key;
}

/* Return a new reference. */
static PyObject *
look_up(PyObject *cells, PyObject *key)
{
#ifdef Py_GIL_DISABLED
    PyObject *cell = NULL;
    PyDict_GetItemRef(cells, key, &cell);
    return cell;
#else
    return Py_XNewRef(PyDict_GetItemWithError(cells, key));
#endif
}

static CellState *
find_by_value(TypedCall *self, const Labels *labels)
{
    PyObject *key = make_key(self, labels);
    if (key == NULL) {
        PyErr_Clear(); /* out of memory, which Python will say again */
        return NULL;
    }
    PyObject *found = look_up(self->cells, key);
    Py_DECREF(key);
    if (found == NULL) {
        PyErr_Clear();
        return NULL;
    }
    CellState *cell = as_cell(found);
    if (cell == NULL) {
        Py_DECREF(found);
    }
    return cell;
}

/* The call. */

static int
record(TypedCall *self, PyObject *value, const Labels *labels)
{
    double number;
    if (!plain_number(value, &number)) {
        return 0;
    }
    CellState *cell = find_by_identity(self, labels);
    if (cell != NULL) {
        Py_INCREF((PyObject *)cell);
    }
    else {
        cell = find_by_value(self, labels);
        if (cell == NULL) {
            return 0;
        }
        remember(self, labels, cell);
    }
    int done = self->kind->record(cell, value, number);
    Py_DECREF((PyObject *)cell);
    return done;
}

static PyObject *
typed_call_call(PyObject *object, PyObject *const *args, size_t nargsf, PyObject *names)
{
    Labels labels = {names, names == NULL ? 0 : PyTuple_Size(names), args + 1};
    TypedCall *self = (TypedCall *)object;
    if (ARGUMENT_COUNT(nargsf) == 1 && labels.count <= self->label_count) {
        int done = record(self, args[0], &labels);
        if (done > 0) {
            Py_RETURN_NONE;
        }
        if (done < 0) {
            return NULL;
        }
    }
    return call_reference(object, args, nargsf, names);
}

static PyObject *
typed_call_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    PyObject *reference, *cells, *labels, *defaults;
    const char *kind;
    (void)kwargs;
    if (!PyArg_ParseTuple(args, "OsO!O!O!:TypedCall", &reference, &kind, &PyDict_Type, &cells,
                          &PyTuple_Type, &labels, &PyTuple_Type, &defaults)) {
        return NULL;
    }
    if (PyTuple_Size(labels) != PyTuple_Size(defaults)) {
        PyErr_SetString(PyExc_ValueError, "each label has a default or None");
        return NULL;
    }
    const Kind *row = find_kind(kind);
    TypedCall *self = row == NULL ? NULL : (TypedCall *)PyType_GenericAlloc(type, 0);
    if (self == NULL) {
        return NULL;
    }
    self->front.vectorcall = typed_call_call;
    self->front.reference = Py_NewRef(reference);
    self->kind = row;
    self->cells = Py_NewRef(cells);
    self->labels = Py_NewRef(labels);
    self->defaults = Py_NewRef(defaults);
    self->label_count = PyTuple_Size(labels);
    self->row_size = sizeof(Row) + (size_t)self->label_count * sizeof(PyObject *);
    return (PyObject *)self;
}

static int
typed_call_visit(PyObject *object, visitproc visit, void *arg)
{
    TypedCall *self = (TypedCall *)object;
    Py_VISIT(self->cells);
    Py_VISIT(self->labels);
    Py_VISIT(self->defaults);
    int stop = visit_table(self, visit, arg);
    return stop ? stop : front_visit(object, visit, arg);
}

static void
typed_call_free(PyObject *object)
{
    TypedCall *self = (TypedCall *)object;
    PyObject_GC_UnTrack(object);
    free_table(self);
    Py_XDECREF(self->cells);
    Py_XDECREF(self->labels);
    Py_XDECREF(self->defaults);
    front_free(object);
}

static PyType_Slot typed_call_slots[] = {
    FRONT_SLOTS,
    {Py_tp_new, typed_call_new},
    {Py_tp_traverse, typed_call_visit},
    {Py_tp_dealloc, typed_call_free},
    {Py_tp_descr_get, front_bind},
    {0, NULL},
};

PyType_Spec typed_call_spec = {
    .name = "otel_meta_native.TypedCall",
    .basicsize = sizeof(TypedCall),
    .flags = FRONT_FLAGS,
    .slots = typed_call_slots,
};
