"""A zero before the first event of a series, so that a server counts this event.

Prometheus computes an increase from the samples of one series. A series whose first sample is 1
hides its first event, unless the server reads start times, which takes a flag. Hence a collection
for a server (a scrape or a push) shows a new counter or histogram at zero first, and with its value
once the zero has been there for one scrape interval.

A collection is described by one number, the time of `ZeroFirst.begin`: series that were born
later are at zero. This number never goes back, so a series that was shown with its value is never
at zero again; a server would take the zero for a restart, and would count the value twice.
`collection_marks` computes the number from two times, which the workers of a service share in a
file. Recording costs nothing, and a collection costs one comparison for each metric.
"""
