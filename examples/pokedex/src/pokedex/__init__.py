"""Expeditions through a journal of sightings: each is identified, classified and matched against rivals."""
